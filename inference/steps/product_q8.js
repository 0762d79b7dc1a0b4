import { i32, multiplyShift, sum } from "../arithmetic/fixed_point.js";
import { dot, operands } from "./product_q4.js";

export async function result(numbers, constants, inputs) {
  const { a, q, steps } = await operands(numbers, constants, inputs, 1);
  return q.map((blocks, row) => i32(sum(blocks.map((weights, b) => multiplyShift(dot(weights, a[b]), steps[row][b], 16)))));
}
