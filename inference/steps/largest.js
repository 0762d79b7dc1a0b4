import { check } from "../arithmetic/fixed_point.js";
import { matrix, signed } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const words = inputs.flatMap(signed);
  check(words.length % 2 === 0, "a pair is cut");
  return matrix(words, words.length / 2).reduce((best, pair) => (pair[0] > best[0] ? pair : best));
}
