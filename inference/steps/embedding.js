import { i32, multiplyShift, roundShift } from "../arithmetic/fixed_point.js";
import { one, window } from "./_operands.js";

const BLOCK = 32;

export async function result(numbers, constants, inputs) {
  const named = inputs.length ? one(inputs[0]) : numbers.token, token = named - (numbers.part ?? 0), row = [token, token + 1];
  const [start, stop] = numbers.columns, first = Math.floor(start / BLOCK);
  if (numbers.part !== undefined && !(0 <= token && token < constants.shape(numbers.q)[0])) return new Array(stop - start).fill(0);
  const [q] = await window(constants, numbers.q, row, [start, stop]);
  const [blocks] = await window(constants, numbers.blocks, row, [first, Math.ceil(stop / BLOCK)]);
  const [[mantissa, shift]] = await window(constants, numbers.rows, row, [0, 2]);
  const step = (at) => blocks[Math.floor((start + at) / BLOCK) - first];
  return q.map((each, at) => roundShift(multiplyShift(i32(each * step(at) * 2 ** 8), mantissa, 16), shift));
}
