import { check, i32, roundShift, sum } from "../arithmetic/fixed_point.js";
import { ACTIVATION, narrow, narrowing } from "../arithmetic/scaled.js";
import { placed, scale, window } from "./_operands.js";

export async function result({ x, scale: of, weight, rows, columns, span_shift }, constants, inputs) {
  const [n] = narrowing(await scale(inputs, constants, of), ACTIVATION);
  const q = await window(constants, weight, rows, columns), made = [];
  for (const place of x) {
    let a = new Array(q[0].length).fill(0);
    if (place.length) {
      const words = await placed(inputs, constants, place);
      check(words.length === a.length, "a pixel and the weights are not as wide");
      a = words.map((word) => narrow(word, n, ACTIVATION));
    }
    made.push(...q.map((row) => roundShift(i32(sum(row.map((each, at) => each * a[at]))), span_shift)));
  }
  return made;
}
