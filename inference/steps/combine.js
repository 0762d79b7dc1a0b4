import { check, i32, sum } from "../arithmetic/fixed_point.js";
import { factored, narrowing } from "../arithmetic/scaled.js";
import { placed, scale } from "./_operands.js";

export async function result({ x, scales, mantissas, units, floor, fixed, limit }, constants, inputs) {
  const tensors = [], of = [];
  for (const place of x) tensors.push(await placed(inputs, constants, place));
  for (const place of scales) of.push(await scale(inputs, constants, place));
  check(x.length === scales.length && tensors.every(({ length }) => length === tensors[0].length), "tensors are not as long");
  const found = of.map((each, at) => narrowing(each, 30)[1] + units[at]);
  const to = fixed ? floor : Math.max(floor, ...found), top = 2 ** 30 - 1;
  const most = limit && to <= 0 ? Math.min(limit * 2 ** Math.min(-to, 30), top) : top;
  return tensors[0].map((_, index) => {
    const total = i32(sum(tensors.map((each, at) => factored(each[index], of[at], mantissas[at], units[at], to))));
    return Math.min(Math.max(total, -most), most);
  });
}
