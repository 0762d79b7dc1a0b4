import { bitLength, check, clipped, i32, largest, multiplyShift, sum } from "../arithmetic/fixed_point.js";
import { matrix, one, signed, window } from "./_operands.js";

const BLOCK = 32;

export async function result(numbers, constants, inputs) {
  const { a, q, steps } = await operands(numbers, constants, inputs, 2);
  const A = a.map((block) => i32(sum(block)));
  return q.map((blocks, row) => i32(sum(blocks.map((weights, b) => {
    const [D, M] = steps[row].slice(2 * b, 2 * b + 2);
    return multiplyShift(dot(weights, a[b]), D, 15) + multiplyShift(A[b], M, 11);
  }))));
}

export const dot = (weights, a) => i32(sum(weights.map((weight, at) => weight * a[at])));

// a: blocks of 32 activations; q: of each row, blocks of 32 weights; steps: of each row, `each` a block.
export async function operands(numbers, constants, inputs, each) {
  const [start, stop] = numbers.columns, { bits, rows } = numbers;
  check(start % BLOCK === 0 && stop % BLOCK === 0, "a span cuts a block");
  let a = signed(inputs.at(-1));
  check(inputs.length === (bits ? 2 : 1) && a.length === stop - start, "the sources are not the span's");
  if (bits) {
    const most = one(inputs[0]);
    check(largest(a.map(Math.abs)) <= most, "a value exceeds the largest of its row");
    a = a.map((word) => clipped(word, Math.max(bitLength(most) - bits, 0), bits));
  }
  const blocks = a.length / BLOCK;
  const q = await window(constants, numbers.q, rows, [start, stop]);
  const steps = await window(constants, numbers.blocks, rows, [(each * start) / BLOCK, (each * stop) / BLOCK]);
  return { a: matrix(a, blocks), q: q.map((row) => matrix(row, blocks)), steps };
}
