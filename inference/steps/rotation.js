import { check, i32, roundShift } from "../arithmetic/fixed_point.js";
import { pieces, window } from "./_operands.js";

const FRACTION = 14;

export async function result({ x: places, first, rotated, table, position, short = 0 }, constants, inputs) {
  const x = pieces(inputs, places), [, width] = constants.shape(table);
  const [turns] = await window(constants, table, [position, position + 1], [0, width]);
  const count = Math.min(Math.max(rotated - first, 0), x.length);
  check(first >= 0 && first % 2 === 0 && count % 2 === 0, "a pair is cut");
  for (let at = 0; at < count; at += 2) {
    const [cos, sin] = [0, 1].map((part) => turns[((first + at) % width) + part]), [even, odd] = [x[at], x[at + 1]];
    x[at] = roundShift(i32(even * cos - odd * sin), FRACTION);
    x[at + 1] = roundShift(i32(even * sin + odd * cos), FRACTION);
  }
  return short ? x.map((word) => (word << 16) >> 16) : x;
}
