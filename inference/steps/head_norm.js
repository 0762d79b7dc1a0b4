import { check, largest, sum, u32 } from "../arithmetic/fixed_point.js";
import { matrix, pieces, window } from "./_operands.js";
import { normalised } from "./normalise.js";
import { scaledSquares } from "./squares.js";

export async function result(numbers, constants, inputs) {
  const x = pieces(inputs, numbers.x), [start, stop] = numbers.part, [, width] = constants.shape(numbers.gain);
  const [gain] = await window(constants, numbers.gain, [0, 1], [0, width]);
  check(x.length % width === 0 && 0 <= start && start < stop && stop <= x.length, "the words are not of whole heads");
  const heads = matrix(x, x.length / width).map((head, at) => {
    if (at >= numbers.heads) return head;
    const most = largest(head.map(Math.abs));
    return normalised(head, most, u32(sum(scaledSquares(head, most, numbers.square_shift))), gain, numbers);
  });
  return heads.flat().slice(start, stop);
}
