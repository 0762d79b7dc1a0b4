import { bitLength, check, roundShift } from "../arithmetic/fixed_point.js";
import { matrix, signed, unsigned } from "./_operands.js";

export async function result({ rows }, constants, [total, p]) {
  check(total.length === rows, "there is not one sum a row");
  const shifts = unsigned(total).map((sum) => Math.max(bitLength(sum) - 16, 0));
  return matrix(signed(p), rows).flatMap((row, at) => row.map((weight) => roundShift(weight, shifts[at])));
}
