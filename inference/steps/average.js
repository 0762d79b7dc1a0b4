import { check, i32, shifted, sum } from "../arithmetic/fixed_point.js";
import { placed } from "./_operands.js";

export async function result({ x }, constants, inputs) {
  const four = [];
  for (const place of x) four.push(await placed(inputs, constants, place));
  check(four.length === 4 && four.every(({ length }) => length === four[0].length), "words are not in fours");
  return four[0].map((_, at) => {
    const rests = sum(four.map((each) => each[at] & 3));
    return i32(sum(four.map((each) => each[at] >> 2)) + shifted(rests + 2, 2));
  });
}
