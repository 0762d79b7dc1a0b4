import { check, i32, multiplyShift, roundShift } from "../arithmetic/fixed_point.js";
import { matrix, signed, window } from "./_operands.js";

export async function result(numbers, constants, [maxima, ...others]) {
  const { rows } = numbers, most = signed(maxima);
  check(most.length === rows, "there is not one maximum a row");
  const x = others.map((words) => matrix(signed(words), rows));
  const distances = most.flatMap((value, row) => x.flatMap((each) => each[row].map((word) => value - word)));
  return weights(numbers, constants, distances);
}

// The weights 2^-u of distances.
export async function weights({ mantissa, shift, drop, table }, constants, distances) {
  const [values] = await window(constants, table, [0, 1], [0, 256]);
  check(distances.every((distance) => distance >= 0), "a value exceeds the largest of its row");
  return distances.map((distance) => {
    const u = roundShift(multiplyShift(i32(distance), mantissa, 16), shift);
    return (values[u & 255] >> drop) >> Math.min(u >> 8, 31);
  });
}
