import { check, i32, roundShift } from "../arithmetic/fixed_point.js";
import { pairs, SHORT } from "../arithmetic/scaled.js";
import { placed } from "./_operands.js";
import { summed } from "./group_sums.js";

export async function result(numbers, constants, inputs) {
  const mean = await placed(inputs, constants, numbers.mean);
  check(mean.length === numbers.groups, "means are not the groups'");
  return pairs(await summed(numbers, constants, inputs, (z, group) => roundShift(i32(z - mean[group]), SHORT + 1) ** 2));
}
