import { i32, sum, u32 } from "../arithmetic/fixed_point.js";
import { matrix, signed, unsigned as withoutSign } from "./_operands.js";

export async function result({ rows, unsigned }, constants, inputs) {
  const [read, fit] = unsigned ? [withoutSign, u32] : [signed, i32];
  const matrices = inputs.map((words) => matrix(read(words), rows));
  return Array.from({ length: rows }, (_, row) => fit(sum(matrices.map((each) => sum(each[row])))));
}
