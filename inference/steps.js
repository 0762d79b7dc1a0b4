// Steps as data, computed in JavaScript: steps/__init__.py says what they are, and the docstring of each kind, NAME.py,
// what it computes; NAME.js computes the same, held against it by vectors.json. Words are an Int32Array.

import { check } from "./arithmetic/fixed_point.js";
import { LEAF } from "./steps/_operands.js";

export { BoundError } from "./arithmetic/fixed_point.js";
export const SOURCES = 8, WORK = 200_000;

// Whether a step of so many sources, words and multiply-accumulates may be made.
export function allowed(sources, words, macs) {
  return sources <= SOURCES && 0 < words && words <= LEAF && 0 <= macs && macs <= WORK;
}

// The words of a step {kind, numbers, words} from those of its sources, in order. `constants` has shape(name), [rows,
// columns], and tile(name, index), numbers row by row or a promise of them. What no honest run gives is a BoundError.
export async function result({ kind, numbers, words }, constants, inputs) {
  check(/^[a-z][a-z0-9_]*$/.test(kind), `there is no kind ${kind}`);
  const { result } = await import(`./steps/${kind}.js`);
  const made = await result(numbers, constants, inputs.map((each) => Array.from(each)));
  check(made.length === words, `a step ${kind} gives ${made.length} words, not ${words}`);
  return Int32Array.from(made);
}
