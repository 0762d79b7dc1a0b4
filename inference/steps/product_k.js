import { i32, multiplyShift, sum } from "../arithmetic/fixed_point.js";
import { dot, operands } from "./product_q4.js";

const HALF = 16;

export async function result(numbers, constants, inputs) {
  const { a, q, steps } = await operands(numbers, constants, inputs, 3);
  const A = a.map((block) => i32(sum(block)));
  return q.map((blocks, row) => i32(sum(blocks.map((weights, b) => {
    const [first, second, M] = steps[row].slice(3 * b, 3 * b + 3);
    const of = (from) => dot(weights.slice(from, from + HALF), a[b].slice(from, from + HALF));
    return multiplyShift(of(0), first, 15) + multiplyShift(of(HALF), second, 15) + multiplyShift(A[b], M, 11);
  }))));
}
