import { bitLength, check, i32, multiplyShift, roundShift } from "../arithmetic/fixed_point.js";
import { one, pieces, window } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const x = pieces(inputs, numbers.x), { bits } = numbers;
  const scales = await window(constants, numbers.rows, numbers.range, [0, 2]);
  check(scales.length === x.length, "sums and scales are not as many");
  const exponent = bits && !numbers.unscaled ? Math.max(bitLength(one(inputs[0])) - bits, 0) : 0;
  const y = x.map((sum, at) => roundShift(multiplyShift(sum, scales[at][0], 16), scales[at][1] - exponent));
  if (!numbers.residual.length) return y;
  const residual = pieces(inputs, numbers.residual);
  check(residual.length === x.length, "sums and residual are not as many");
  return y.map((each, at) => i32(each + roundShift(residual[at], numbers.residual_shift)));
}
