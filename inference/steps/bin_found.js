import { check, portion, u32 } from "../arithmetic/fixed_point.js";
import { unsigned } from "./_operands.js";
import { DIGITS, FARTHEST, found } from "./bin_weights.js";

export async function result({ level, count, share }, constants, [bins, before]) {
  const { ofId, shift, width } = DIGITS[level];
  check(bins.length === 2 ** width, `there is not one weight for each of ${2 ** width} digits`);
  let total = 0;
  const ends = unsigned(bins).map((weight) => u32(total += weight));
  const [distance, rank] = level ? found(before) : [0, 0];
  const left = level ? unsigned(before)[0] : count ? Math.min(count, total) : portion(total, share) + 1;
  check(1 <= left && left <= total, "what is left lies in no digit");
  const at = ends.filter((end) => end < left).length, moved = at * 2 ** shift;
  return [left - (at ? ends[at - 1] : 0), FARTHEST - distance - (ofId ? 0 : moved), rank + (ofId ? moved : 0)];
}
