import { bitLength, check, i32, multiplyShift, roundShift, shifted, u32 } from "../arithmetic/fixed_point.js";
import { one, signed, unsigned, window } from "./_operands.js";
import { lengthOf } from "./squares.js";

export async function result(numbers, constants, [largest, total, x, ...read]) {
  const [gain] = await window(constants, numbers.gain, [0, 1], numbers.columns);
  check(total.length === 1 && x.length === gain.length, "the sources are not a sum and the columns");
  check(read.length === (numbers.bits ? 1 : 0), "the sources are not a product's or not a sum's");
  const exponent = numbers.bits ? Math.max(bitLength(one(read[0])) - numbers.bits, 0) : 0;
  return normalised(signed(x), one(largest), one(unsigned(total)), gain, numbers, exponent);
}

// Words of a row whose largest and sum of squares are given, in units of 2^exponent.
export function normalised(x, largest, total, gain, numbers, exponent = 0) {
  const n = lengthOf(largest);
  check(n <= 31, "a value is -2^31");
  const scale = Math.min(2 * (n - 15 + exponent) + numbers.square_shift, 31);
  check(scale >= 0, "epsilon is shifted to the left");
  const small = shifted(numbers.epsilon, scale);
  const S = Math.max(u32(total + small), 1), k = (32 - bitLength(S)) & ~1;
  const r = Math.floor(Math.sqrt(u32(S * 2 ** k)));
  check(2 ** 15 <= r && r < 2 ** 16, "a root is not of 16 bits");
  const v = Math.floor(u32(numbers.constant + (r >> 1)) / r);
  check(v < 2 ** 15, "a reciprocal root is not of 15 bits");
  return x.map((word, at) => {
    const aligned = i32(n <= 30 ? word * 2 ** (30 - n) : word >> 1);
    const Y = roundShift(multiplyShift(aligned, v, 16), numbers.root_shift - k / 2);
    const y = roundShift(i32(Y * gain[at]), numbers.gain_shift);
    check(numbers.wide || Math.abs(y) <= 32767, "an output is not of 16 bits");
    return y;
  });
}
