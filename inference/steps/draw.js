import { check, largest, portion, u32 } from "../arithmetic/fixed_point.js";
import { LEAF, unsigned } from "./_operands.js";
import { spans } from "./span_weights.js";

export async function result(numbers, constants, [sums, ...others]) {
  const { first, draw } = numbers;
  const ends = cumulated(unsigned(sums)).map(u32), p = await spans(numbers, constants, others);
  check(first >= 0 && first + p.length <= ends.length, "a span has no sum");
  const threshold = portion(ends.at(-1), draw);
  const tokens = p.map((weights, at) => {
    const span = first + at, left = threshold - (span ? ends[span - 1] : 0);
    if (left < 0 || threshold >= ends[span]) return -1;
    return span * LEAF + cumulated(weights).filter((prefix) => prefix <= left).length;
  });
  return [largest(tokens)];
}

function cumulated(x) {
  let total = 0;
  return x.map((each) => (total += each));
}
