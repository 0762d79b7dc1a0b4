import { i32 } from "../arithmetic/fixed_point.js";
import { one, window } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const token = inputs.length ? one(inputs[0]) : numbers.token, place = numbers.place;
  const [row] = await window(constants, numbers.table, [token, token + 1], numbers.columns);
  const [of] = await window(constants, numbers.positions, [place, place + 1], numbers.columns);
  return row.map((each, at) => i32(each + of[at]));
}
