// Tensors of words with one exponent, as scaled.py. Words are numbers; sums of 64 bits are BigInts.

import { bitLength, check, i32, multiplyShift, roundShift, shifted } from "./fixed_point.js";

export const ACTIVATION = 14, NORM = 29, GAIN = 15, SHORT = 14;
const MOST = 2 ** 30 - 1;

const kept = (x, most) => Math.min(Math.max(x, -most), most);

// The shift that narrows a tensor to so many bits, and the exponent of what it gives.
export function narrowing([largest, exponent], bits) {
  check(0 <= largest && largest < 2 ** 31 && Math.abs(exponent) < 2 ** 20, "a scale is none");
  const n = bitLength(largest) - bits;
  return [n, exponent + n];
}

export const narrow = (x, n, bits) => (n <= 0 ? i32(x * 2 ** -n) : kept(roundShift(x, n), 2 ** bits - 1));

// x / 2^shift, halves upwards; where the shift is negative x·2^-shift kept to 2^30 - 1.
export function moved(x, shift) {
  i32(x);
  if (shift > 0) return roundShift(x, Math.min(shift, 30));
  const left = Math.min(-shift, 30);
  return kept(x, shifted(MOST, left)) * 2 ** left;
}

// max(y, 0) - C(|y|) at an exponent; the curve has 257 entries.
export function curved(y, exponent, curve) {
  const t = moved(Math.abs(y), -16 - exponent), i = Math.min(shifted(t, 12), 256);
  const c = i < 256 ? curve[i] + shifted(i32((curve[i + 1] - curve[i]) * (t % 4096) + 2048), 12) : 0;
  return i32(Math.max(y, 0) - moved(c, 16 + exponent));
}

// x times mantissa·2^(unit - 16), at an exponent.
export function factored(x, scale, mantissa, unit, exponent) {
  const [n, at] = narrowing(scale, 30);
  return moved(multiplyShift(narrow(x, n, 30), mantissa, 16), exponent - at - unit);
}

// Sums of 64 bits as words: high ones, then low ones by their bits.
export const pairs = (sums) =>
  [...sums.map((sum) => Number(BigInt.asIntN(32, sum >> 32n))), ...sums.map((sum) => Number(BigInt.asIntN(32, sum)))];

export function whole(words) {
  check(words.length > 0 && words.length % 2 === 0, "pairs are not whole");
  const half = words.length / 2;
  return words.slice(0, half).map((high, at) => (BigInt(high) << 32n) + BigInt.asUintN(32, BigInt(words[half + at])));
}
