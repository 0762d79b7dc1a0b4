import { check, i32, roundShift } from "../arithmetic/fixed_point.js";
import { pieces, window } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const x = pieces(inputs, numbers.x);
  const other = numbers.other.length ? pieces(inputs, numbers.other) : (await window(constants, numbers.row, [0, 1], numbers.columns))[0];
  check(other.length === x.length, "the terms are not as many");
  return x.map((each, at) => i32(roundShift(each, numbers.shift) + roundShift(other[at], numbers.other_shift)));
}
