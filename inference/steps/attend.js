import { check, multiplyShift, roundShift, u32 } from "../arithmetic/fixed_point.js";
import { signed, unsigned } from "./_operands.js";

export async function result({ width, part: [start, stop], value_shift }, constants, [sums, products]) {
  const totals = unsigned(sums), x = signed(products);
  check(start >= 0 && stop <= totals.length * width && x.length === stop - start, "a part is not the heads'");
  return x.map((each, at) => mean(each, totals[Math.floor((start + at) / width)], value_shift));
}

function mean(x, total, shift) {
  check(total > 0, "weights sum to 0");
  const reciprocal = Math.min(Math.floor(u32(2 ** 30 + Math.floor(total / 2)) / total), 32767);
  const y = roundShift(multiplyShift(x, reciprocal, 16), shift);
  check(Math.abs(y) <= 32767, "an output is not of 16 bits");
  return y;
}
