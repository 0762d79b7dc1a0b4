import { check, roundShift } from "../arithmetic/fixed_point.js";
import { narrow, narrowing, NORM, pairs, SHORT } from "../arithmetic/scaled.js";
import { placed, scale } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  return pairs(await summed(numbers, constants, inputs, (z) => roundShift(z, SHORT)));
}

// By group, the sums of what `term(word, group)` makes of words narrowed to 29 bits.
export async function summed({ x, scale: of, channels, groups }, constants, inputs, term) {
  const [n] = narrowing(await scale(inputs, constants, of), NORM), words = await placed(inputs, constants, x);
  check(words.length % channels === 0 && channels % groups === 0, "words are not pixels by channels by groups");
  const sums = new Array(groups).fill(0n), width = channels / groups;
  for (const [at, word] of words.entries()) {
    const group = Math.floor((at % channels) / width);
    sums[group] += BigInt(term(narrow(word, n, NORM), group));
  }
  return sums;
}
