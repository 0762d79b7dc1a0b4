import { check, i32, multiplyShift, roundShift } from "../arithmetic/fixed_point.js";
import { ACTIVATION, narrowing } from "../arithmetic/scaled.js";
import { scale, signed, window } from "./_operands.js";

export async function result({ scale: of, rows, bias, range, unit, floor }, constants, inputs) {
  const exponent = narrowing(await scale(inputs, constants, of), ACTIVATION)[1] + unit, at = Math.max(exponent, floor);
  const scales = await window(constants, rows, range, [0, 2]), [biases] = await window(constants, bias, [0, 1], range);
  const x = signed(inputs[0]);
  check(x.length % biases.length === 0, "sums are not pixels by rows");
  return x.map((total, index) => {
    const [mantissa, shift] = scales[index % biases.length];
    const moved = roundShift(multiplyShift(total, mantissa, 16), Math.min(shift + at - exponent, 30));
    return i32(moved + roundShift(biases[index % biases.length], Math.min(at - floor, 30)));
  });
}
