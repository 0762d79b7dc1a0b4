import { check, i32, multiplyShift, roundShift, shifted } from "../arithmetic/fixed_point.js";
import { pieces, window } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const x = pieces(inputs, numbers.x), { group } = numbers;
  check(x.length % (2 * group) === 0, "gates and ups are not in pairs");
  const [curve] = await window(constants, numbers.curve, [0, 1], [0, 257]);
  const gates = x.filter((_, at) => at % (2 * group) < group), ups = x.filter((_, at) => at % (2 * group) >= group);
  return gates.map((gate, at) => gated(gate, ups[at], [...curve, 0], numbers.fraction));
}

// silu(g)·u; the curve is what is missing to max(g, 0).
export function gated(g, u, curve, fraction) {
  const t = Math.abs(g), step = fraction - 4, i = Math.min(shifted(t, step), 256);
  const product = (curve[i + 1] - curve[i]) * (t % 2 ** step);
  const c = curve[i] + shifted(i32(product + 2 ** (step - 1)), step);
  return multiplyShift(i32(Math.max(g, 0) - roundShift(i < 256 ? c : 0, 16 - fraction)), u, 10);
}
