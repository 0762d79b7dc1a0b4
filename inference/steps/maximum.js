import { i32, largest } from "../arithmetic/fixed_point.js";
import { matrix, signed } from "./_operands.js";

export async function result({ rows, absolute }, constants, inputs) {
  const read = inputs.map((words) => matrix(signed(words).map(absolute ? Math.abs : Number), rows));
  return read[0].map((_, row) => i32(largest(read.map((each) => largest(each[row])))));
}
