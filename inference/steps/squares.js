import { bitLength, check, shifted, sum, u32 } from "../arithmetic/fixed_point.js";
import { one, signed } from "./_operands.js";

export async function result({ square_shift }, constants, [largest, ...others]) {
  const x = others.flatMap(signed), s = lengthOf(one(largest)) - 15;
  const squares = x.map((word) => {
    const scaled = shifted(word, s);
    check(Math.abs(scaled) <= 2 ** 15, "a value exceeds the largest of its row");
    return shifted(u32(scaled * scaled + 2 ** (square_shift - 1)), square_shift);
  });
  return [u32(sum(squares))];
}

// Bits of the largest |x| of a row, at least 11.
export const lengthOf = (largest) => Math.max(bitLength(largest), 11);
