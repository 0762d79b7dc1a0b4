import { check, i32, largest, multiplyShift } from "../arithmetic/fixed_point.js";
import { curved, GAIN, moved, narrow, narrowing, NORM } from "../arithmetic/scaled.js";
import { placed, scale, window } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const read = (name) => placed(inputs, constants, numbers[name]), { channels: [start, stop], width } = numbers;
  const [n] = narrowing(await scale(inputs, constants, numbers.scale), NORM);
  const z = (await read("x")).map((word) => narrow(word, n, NORM)), wide = stop - start;
  check(0 <= start && start < stop && z.length % wide === 0, "words are not pixels by channels");
  const mean = await read("mean"), roots = await read("roots"), groups = mean.length;
  check(roots.length === 2 * groups && Math.floor((stop - 1) / width) < groups, "means and roots are not the groups'");
  const used = roots.slice(Math.floor(start / width), Math.floor((stop - 1) / width) + 1);
  check(largest(used.map(Math.abs)) < 2 ** 15, "a root is not of 15 bits");
  const [m, at] = narrowing(await scale(inputs, constants, numbers.affine_scale), GAIN);
  const gains = (await read("gains")).map((word) => narrow(word, m, GAIN));
  const biases = (await read("biases")).map((word) => narrow(word, m, GAIN));
  check(gains.length === wide && biases.length === wide, "gains are not the channels'");
  const curve = numbers.curve ? [...(await window(constants, numbers.curve, [0, 1], [0, 257]))[0], 0] : null;
  return z.map((word, index) => {
    const channel = index % wide, group = Math.floor((start + channel) / width), d = i32(word - mean[group]);
    check(Math.abs(d) <= 2 ** 30, "a mean is not of its tensor");
    const Y = moved(multiplyShift(d, roots[group], 16), 19 + roots[groups + group]);
    const y = i32(Math.min(Math.max(Y, -32767), 32767) * gains[channel] + biases[channel] * 1024);
    return curve ? curved(y, at - 10, curve) : y;
  });
}
