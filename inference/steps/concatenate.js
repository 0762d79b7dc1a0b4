import { pieces } from "./_operands.js";

export async function result({ parts }, constants, inputs) {
  return pieces(inputs, parts);
}
