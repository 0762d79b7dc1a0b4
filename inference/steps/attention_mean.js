import { check, multiplyShift, u32 } from "../arithmetic/fixed_point.js";
import { signed, unsigned } from "./_operands.js";

export async function result({ width, part: [start, stop] }, constants, inputs) {
  const total = unsigned(inputs[0]), x = signed(inputs[1]);
  const fits = 0 <= start && start < stop && stop <= total.length * width && x.length === stop - start;
  check(fits, "a part is not the heads'");
  return x.map((word, at) => {
    const weight = total[Math.floor((start + at) / width)];
    check(weight > 0, "weights sum to 0");
    return multiplyShift(word, Math.min(Math.floor(u32(2 ** 30 + Math.floor(weight / 2)) / weight), 32767), 16);
  });
}
