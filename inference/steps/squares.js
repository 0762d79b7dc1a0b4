import { bitLength, check, shifted, sum, u32 } from "../arithmetic/fixed_point.js";
import { one, signed } from "./_operands.js";

export async function result({ square_shift }, constants, [largest, ...others]) {
  return [u32(sum(scaledSquares(others.flatMap(signed), one(largest), square_shift)))];
}

// The squares of 16 bits of words of a row.
export function scaledSquares(x, largest, square_shift) {
  const s = lengthOf(largest) - 15;
  return x.map((word) => {
    const scaled = shifted(word, s);
    check(Math.abs(scaled) <= 2 ** 15, "a value exceeds the largest of its row");
    return shifted(u32(scaled * scaled + 2 ** (square_shift - 1)), square_shift);
  });
}

// Bits of the largest |x| of a row, at least 11.
export const lengthOf = (largest) => Math.max(bitLength(largest), 11);
