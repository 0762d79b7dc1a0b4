import { bitLength, check, i32, largest, roundShift } from "../arithmetic/fixed_point.js";
import { narrow, narrowing, NORM, SHORT } from "../arithmetic/scaled.js";
import { matrix, placed, scale } from "./_operands.js";
import { inverse } from "./group_roots.js";

export async function result({ x, scale: of, columns, mantissa, exponent }, constants, inputs) {
  const [n, unit] = narrowing(await scale(inputs, constants, of), NORM);
  const z = (await placed(inputs, constants, x)).map((word) => narrow(word, n, NORM));
  check(0 < columns && z.length % columns === 0, "words are not pixels by channels");
  check(largest(z.map(Math.abs)) < 2 ** NORM, "a word is beyond its tensor's largest");
  return matrix(z, z.length / columns).flatMap((row) => {
    const mean = Math.trunc(row.reduce((sum, word) => sum + word, 0) / columns) + 0; // sums stay far below 2^53
    const d = row.map((word) => i32(word - mean)), m = bitLength(largest(d.map(Math.abs))) - NORM;
    const total = d.reduce((sum, word) => sum + BigInt(roundShift(narrow(word, m, NORM), SHORT) ** 2), 0n);
    return [mean, m, ...inverse(total, BigInt(columns), mantissa, exponent - 2 * (unit + m + SHORT))];
  });
}
