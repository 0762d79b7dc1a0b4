import { check, i32, largest } from "../arithmetic/fixed_point.js";
import { narrowing } from "../arithmetic/scaled.js";
import { placed, scale } from "./_operands.js";

export async function result({ maxima, scales, units, bits, floor, product }, constants, inputs) {
  check(scales.length === units.length, "scales and units are not as many");
  const most = largest(await placed(inputs, constants, maxima)), found = [];
  for (const [at, place] of scales.entries())
    found.push(narrowing(await scale(inputs, constants, place), bits)[1] + units[at]);
  const of = product ? [found.reduce((sum, each) => sum + each, 0)] : found;
  return [i32(most), i32(largest([floor, ...of]))];
}
