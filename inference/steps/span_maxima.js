import { largest } from "../arithmetic/fixed_point.js";
import { LEAF, signed } from "./_operands.js";

export async function result({ first }, constants, inputs) {
  return inputs.flatMap((words, span) => {
    const most = largest(signed(words));
    return [most, first + LEAF * span + words.indexOf(most)];
  });
}
