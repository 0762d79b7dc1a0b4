import { check, i32, multiplyShift } from "../arithmetic/fixed_point.js";
import { moved, narrowing } from "../arithmetic/scaled.js";
import { matrix, scale, signed, window } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const { rows, bits, mantissa, drop } = numbers, most = signed(inputs[0]);
  check(most.length === rows, "there is not one maximum a row");
  const q = await scale(inputs, constants, numbers.scale_q), k = await scale(inputs, constants, numbers.scale_k);
  const shift = numbers.shift - narrowing(q, bits)[1] - narrowing(k, bits)[1];
  const [table] = await window(constants, numbers.table, [0, 1], [0, 256]);
  return matrix(signed(inputs[1]), rows).flatMap((row, at) => row.map((word) => {
    check(word <= most[at], "a value exceeds the largest of its row");
    const u = moved(multiplyShift(i32(most[at] - word), mantissa, 16), shift);
    return table[u & 255] >> Math.min((u >> 8) + drop, 31);
  }));
}
