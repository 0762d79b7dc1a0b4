// Integer arithmetic of the exact kernels, as fixed_point.py: whole numbers in doubles, which hold what fits 53 bits, and
// every value that a kernel keeps in a register is held to its 32 bits. A product that a double rounds has more.

// A value leaves its bounds, as in no honest run.
export class BoundError extends Error {}

export function check(holds, sentence) {
  if (!holds) throw new BoundError(sentence);
}

// x itself, which must fit 32 bits with a sign.
export function i32(x) {
  check(-(2 ** 31) <= x && x < 2 ** 31, `${x} is not of 32 bits`);
  return x;
}

// x itself, which must fit 32 bits without one.
export function u32(x) {
  check(0 <= x && x < 2 ** 32, `${x} is not of 32 bits without a sign`);
  return x;
}

// floor(a / 2^bits); operators on bits would cut a to 32.
export const shifted = (a, bits) => Math.floor(a / 2 ** bits);

// floor(a·m / 2^bits), in two products that fit.
export function multiplyShift(a, m, bits) {
  const high = shifted(a, bits);
  return i32(i32(high * m) + shifted(i32((a - high * 2 ** bits) * m), bits));
}

// floor(total·word / 2^32) of words without a sign, in products that fit.
export const portion = (total, word) => shifted(shifted(total, 16) * word + shifted((total % 65536) * word, 16), 16);

// a / 2^shift, halves upwards; a·2^-shift where shift <= 0.
export function roundShift(a, shift) {
  check(-31 <= shift && shift <= 30, `a shift by ${shift}`);
  return shift > 0 ? shifted(i32(a + 2 ** (shift - 1)), shift) : i32(i32(a) * 2 ** -shift);
}

// Bits of x in 0..2^32-1; 0 has none.
export const bitLength = (x) => 32 - Math.clz32(u32(x));

// rs(z, exponent) kept to so many bits and a sign.
export function clipped(z, exponent, bits) {
  const most = 2 ** bits - 1;
  return Math.min(Math.max(roundShift(z, exponent), -most), most);
}

export const sum = (x) => x.reduce((total, each) => total + each, 0);
export const largest = (x) => x.reduce((most, each) => Math.max(most, each), -Infinity);
