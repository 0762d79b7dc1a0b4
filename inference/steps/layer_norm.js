import { check, i32, largest, multiplyShift } from "../arithmetic/fixed_point.js";
import { GAIN, moved, narrow, narrowing, NORM } from "../arithmetic/scaled.js";
import { placed, scale } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const read = (name) => placed(inputs, constants, numbers[name]);
  const [n] = narrowing(await scale(inputs, constants, numbers.scale), NORM);
  const z = (await read("x")).map((word) => narrow(word, n, NORM)), known = await read("statistics");
  const affine = [await read("gains"), await read("biases")];
  const [k] = narrowing(await scale(inputs, constants, numbers.affine_scale), GAIN);
  const [gains, biases] = affine.map((words) => words.map((word) => narrow(word, k, GAIN))), wide = gains.length;
  check(biases.length === wide && known.length % 4 === 0, "gains are not the channels'");
  check(z.length * 4 === known.length * wide, "statistics are not the pixels'");
  const of = (at) => known.filter((_, index) => index % 4 === at);
  check(largest(of(2).map(Math.abs)) < 2 ** 15 && largest(of(3).map(Math.abs)) < 2 ** 20, "a root is not of 15 bits");
  check(of(1).every((m) => -NORM <= m && m <= 2), "a distance is not of 32 bits");
  return z.map((word, index) => {
    const [mean, m, v, h] = known.slice(4 * Math.floor(index / wide), 4 * Math.floor(index / wide) + 4);
    const Y = moved(multiplyShift(narrow(i32(word - mean), m, NORM), v, 16), 18 + h);
    return i32(Math.min(Math.max(Y, -32767), 32767) * gains[index % wide] + biases[index % wide] * 1024);
  });
}
