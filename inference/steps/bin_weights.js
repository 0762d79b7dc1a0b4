import { check, shifted, u32 } from "../arithmetic/fixed_point.js";
import { LEAF, signed } from "./_operands.js";
import { spans } from "./span_weights.js";

export const FARTHEST = 2 ** 30;
// Bits of a distance, or of an id.
export const DIGITS = [
  ...[24, 16, 8, 0].map((shift) => ({ ofId: false, shift, width: 8 })),
  ...[10, 0].map((shift) => ({ ofId: true, shift, width: 10 })),
];

export async function result(numbers, constants, [largest, ...others]) {
  const { level, first } = numbers, { ofId, shift, width } = DIGITS[level];
  const [distance, rank] = level ? found(others.shift()) : [0, 0];
  check(others.length > 0 && others.slice(0, -1).every((span) => span.length === LEAF), "a span is not whole");
  const x = others.flatMap((span) => [...signed(span)]);
  const p = "table" in numbers ? (await spans(numbers, constants, [largest, ...others])).flat() : x.map(() => 1);
  const distances = x.map((word) => FARTHEST - word);
  check(distances.every((each) => 0 <= each && each <= 2 * FARTHEST), "a logit is beyond 2^30");
  check(first >= 0 && first * LEAF + x.length <= 2 ** 20, "an id is beyond 2^20");
  const before = ofId ? rank : distance, bins = Array(2 ** width).fill(0);
  const prefix = (of) => shifted(of, shift + width);
  for (const [at, weight] of p.entries()) {
    const of = ofId ? first * LEAF + at : distances[at];
    if (prefix(of) !== prefix(before) || (ofId && distances[at] !== distance)) continue;
    bins[shifted(of, shift) % 2 ** width] += weight;
  }
  return bins.map(u32);
}

// Distance and id, as far as they were found.
export function found(words) {
  check(words.length === 3, "what was found is not three words");
  const distance = FARTHEST - words[1], rank = words[2];
  check(0 <= distance && distance <= 2 * FARTHEST && 0 <= rank && rank < 2 ** 20, "what was found is no token");
  return [distance, rank];
}
