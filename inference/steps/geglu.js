import { check, multiplyShift } from "../arithmetic/fixed_point.js";
import { curved, GAIN, narrow, narrowing } from "../arithmetic/scaled.js";
import { placed, scale, window } from "./_operands.js";

const RAISED = 30;

export async function result(numbers, constants, inputs) {
  const a = await placed(inputs, constants, numbers.a), g = await placed(inputs, constants, numbers.g);
  check(a.length === g.length, "gates are not as many");
  const curve = [...(await window(constants, numbers.curve, [0, 1], [0, 257]))[0], 0];
  const of = await scale(inputs, constants, numbers.scale), [n] = narrowing(of, GAIN), [m] = narrowing(of, RAISED);
  return g.map((word, at) => {
    const G = narrow(curved(word, of[1], curve), m, RAISED);
    return multiplyShift(G, narrow(a[at], n, GAIN), GAIN);
  });
}
