import { check } from "../arithmetic/fixed_point.js";
import { pairs, whole } from "../arithmetic/scaled.js";

export async function result(numbers, constants, inputs) {
  check(inputs.every((words) => words.length === inputs[0].length), "pairs are not as many");
  const totals = inputs.map(whole), most = 1n << 60n;
  check(totals.every((sums) => sums.every((sum) => -most < sum && sum < most)), "a sum is beyond its terms");
  return pairs(totals[0].map((_, at) => totals.reduce((total, sums) => total + sums[at], 0n)));
}
