import { check } from "../arithmetic/fixed_point.js";
import { narrowing, NORM, SHORT, whole } from "../arithmetic/scaled.js";
import { scale } from "./_operands.js";

export async function result({ scale: of, count, mantissa, exponent }, constants, inputs) {
  const unit = narrowing(await scale(inputs, constants, of), NORM)[1] + SHORT + 1;
  const found = whole(inputs[0]).map((total) => inverse(total, BigInt(count), mantissa, exponent - 2 * unit));
  return [...found.map(([v]) => v), ...found.map(([, h]) => h)];
}

// v and h of a sum of squares; epsilon at the sum's own unit.
export function inverse(total, count, mantissa, exponent) {
  check(0n <= total && total <= count << 30n, "a sum of squares is beyond its terms");
  let m = 0, e = exponent;
  if (total) {
    let shift = 0n;
    while ((total << shift) / count < 1n << 30n) shift++;
    m = Number((total << shift) / count);
    e = -Number(shift);
  }
  let f = Math.max(e, exponent);
  let w = Math.floor(m / 2 ** Math.min(f - e, 31)) + Math.floor(mantissa / 2 ** Math.min(f - exponent, 31));
  if (f % 2) {
    const small = w < 2 ** 31;
    w = small ? w * 2 : Math.floor(w / 2);
    f += small ? -1 : 1;
  }
  check(2 ** 30 <= w && w < 2 ** 32, "a variance is not of 32 bits");
  const r = Math.floor(Math.sqrt(w)); // exact below 2^52
  return [Math.min(Math.floor((2 ** 30 + Math.floor(r / 2)) / r), 32767), f / 2];
}
