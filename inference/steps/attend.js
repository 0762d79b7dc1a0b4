import { check, i32, multiplyShift, roundShift, u32 } from "../arithmetic/fixed_point.js";
import { signed, unsigned } from "./_operands.js";

export async function result({ width, part: [start, stop], value_shift, low = 0 }, constants, [sums, ...products]) {
  const totals = unsigned(sums), [x, rest] = products.map(signed);
  check(products.length === (low ? 2 : 1), "there is not a sum for each part of the values");
  const fits = x.length === stop - start && (!rest || rest.length === x.length);
  check(start >= 0 && stop <= totals.length * width && fits, "a part is not the heads'");
  return x.map((each, at) => mean(each, rest?.[at], totals[Math.floor((start + at) / width)], value_shift, low));
}

function mean(x, rest, total, shift, low) {
  check(total > 0, "weights sum to 0");
  const reciprocal = Math.min(Math.floor(u32(2 ** 30 + Math.floor(total / 2)) / total), 32767);
  const high = multiplyShift(x, reciprocal, 16);
  const y = roundShift(low ? i32(high + (multiplyShift(rest, reciprocal, 16) >> low)) : high, shift);
  check(low > 0 || Math.abs(y) <= 32767, "an output is not of 16 bits");
  return y;
}
