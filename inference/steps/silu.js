import { check } from "../arithmetic/fixed_point.js";
import { curved } from "../arithmetic/scaled.js";
import { placed, scale, window } from "./_operands.js";

export async function result({ x, scale: of, curve }, constants, inputs) {
  const [values] = await window(constants, curve, [0, 1], [0, 257]), [, exponent] = await scale(inputs, constants, of);
  check(Math.abs(exponent) < 2 ** 20, "a scale is none");
  return (await placed(inputs, constants, x)).map((word) => curved(word, exponent, [...values, 0]));
}
