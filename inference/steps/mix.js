import { check, i32, sum } from "../arithmetic/fixed_point.js";
import { matrix, pieces, signed } from "./_operands.js";
import { keyHeads, vectors } from "./scores.js";

export async function result(numbers, constants, inputs) {
  const of = keyHeads(numbers), [start, stop] = numbers.columns, [first, last] = numbers.part;
  const p = matrix(signed(inputs[0]), of.length).map((row) => row.slice(start, stop));
  check(p[0].length === stop - start && stop - start === numbers.values.length, "weights and positions are not as many");
  const width = pieces(inputs, numbers.values[0]).length / (of.at(-1) + 1);
  const { low = 0, half = 0 } = numbers;
  const values = vectors(numbers.values, inputs, of, width).map((heads) =>
    heads.map((row) => Array.from(row, (word) => (half ? word & (2 ** low - 1) : word >> low)))
  );
  const mixed = of.flatMap((_, head) =>
    Array.from({ length: width }, (_, i) => i32(sum(p[head].map((weight, j) => i32(weight * values[head][j][i])))))
  );
  return mixed.slice(first, last);
}
