import { check, sum, u32 } from "../arithmetic/fixed_point.js";
import { weights } from "./exponential.js";
import { signed } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  return (await spans(numbers, constants, inputs)).map((p) => u32(sum(p)));
}

// The weights of each span; the first input is the largest word and its id.
export async function spans(numbers, constants, [largest, ...others]) {
  check(largest.length === 2, "the largest is not a word and its id");
  const distances = others.map((words) => signed(words).map((word) => largest[0] - word));
  return Promise.all(distances.map((each) => weights(numbers, constants, each)));
}
