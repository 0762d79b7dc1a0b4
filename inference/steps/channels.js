import { check } from "../arithmetic/fixed_point.js";
import { moved, narrow, narrowing, NORM } from "../arithmetic/scaled.js";
import { placed, scale } from "./_operands.js";

export async function result({ x, scales }, constants, inputs) {
  const found = [], made = [];
  for (const place of scales) found.push(narrowing(await scale(inputs, constants, place), NORM));
  check(found.length === 2, "there are not two scales");
  const to = Math.max(found[0][1], found[1][1]);
  for (const [tensor, place] of x) {
    const [n, at] = found[tensor];
    made.push(...(await placed(inputs, constants, place)).map((word) => moved(narrow(word, n, NORM), to - at)));
  }
  return made;
}
