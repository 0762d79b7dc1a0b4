import { check } from "../arithmetic/fixed_point.js";
import { signed } from "./_operands.js";

export async function result({ first }, constants, [last, span]) {
  check(signed(last).length === 2, "the last is not a logit and its id");
  const [logit, id] = last;
  return signed(span).map((x, at) => (x > logit || (x === logit && first + at <= id) ? x : -(2 ** 30)));
}
