import { check, i32 } from "../arithmetic/fixed_point.js";
import { SHORT, whole } from "../arithmetic/scaled.js";

export async function result({ count }, constants, [words]) {
  return whole(words).map((total) => {
    const size = total < 0n ? -total : total;
    check(size <= BigInt(count) << 15n, "a sum is beyond its terms");
    const mean = Number((size << BigInt(SHORT)) / BigInt(count));
    return i32(total < 0n ? -mean : mean);
  });
}
