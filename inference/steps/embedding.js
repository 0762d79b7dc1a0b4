import { check, i32, multiplyShift, roundShift } from "../arithmetic/fixed_point.js";
import { one, window } from "./_operands.js";

const BLOCK = 32;

export async function result(numbers, constants, inputs) {
  const named = inputs.length ? one(inputs[0]) : numbers.token, token = named - (numbers.part ?? 0), row = [token, token + 1];
  const [start, stop] = numbers.columns, first = Math.floor(start / BLOCK);
  if (numbers.part !== undefined && !(0 <= token && token < constants.shape(numbers.q)[0])) return new Array(stop - start).fill(0);
  const [q] = await window(constants, numbers.q, row, [start, stop]);
  const each = Math.floor((constants.shape(numbers.blocks)[1] * BLOCK) / constants.shape(numbers.q)[1]);
  check(each >= 1 && each <= 3, "a block has neither one number nor two nor three");
  const [blocks] = await window(constants, numbers.blocks, row, [first * each, Math.ceil(stop / BLOCK) * each]);
  const [[mantissa, shift]] = await window(constants, numbers.rows, row, [0, 2]);
  const value = (weight, column) => {
    const at = (Math.floor(column / BLOCK) - first) * each, part = Math.floor((column % BLOCK) * (each - 1) / BLOCK);
    return each === 1 ? weight * blocks[at] : weight * blocks[at + part] + 16 * blocks[at + each - 1];
  };
  return q.map((weight, at) => roundShift(multiplyShift(i32(value(weight, start + at) * 2 ** 8), mantissa, 16), shift));
}
