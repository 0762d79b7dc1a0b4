import { narrow, narrowing } from "../arithmetic/scaled.js";
import { placed, scale } from "./_operands.js";

export async function result({ x, scale: of, bits }, constants, inputs) {
  const [n] = narrowing(await scale(inputs, constants, of), bits);
  return (await placed(inputs, constants, x)).map((word) => narrow(word, n, bits));
}
