import { check, i32, multiplyShift } from "../arithmetic/fixed_point.js";
import { moved, narrowing, NORM } from "../arithmetic/scaled.js";
import { placed, scale } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const read = (name) => placed(inputs, constants, numbers[name]), s = await read("s"), affine = await read("affine");
  const t = numbers.t.length ? await read("t") : null, of = await scale(inputs, constants, numbers.scale);
  check(s.length === affine.length && (!t || t.length === s.length), "scales, shifts and gains are not as many");
  const exponent = of[1], [, e] = narrowing(of, NORM), at = Math.max(e, -NORM), unit = at + 15 - numbers.fraction;
  const to = Math.max(unit, e), one = at <= 0 ? 2 ** -at : 0;
  return s.map((word, index) => {
    const M = i32(moved(word, at - exponent) + one), y = moved(multiplyShift(M, affine[index], 15), to - unit);
    return t ? i32(y + moved(t[index], to - exponent)) : y;
  });
}
