import { bitLength, check, i32, roundShift } from "../arithmetic/fixed_point.js";
import { matrix, signed, unsigned } from "./_operands.js";

const WHOLE = 2 ** 16 + 2 ** 12;

export async function result({ rows, width, part: [start, stop], blocks: [first, last] }, constants, inputs) {
  const [all, narrowed, ...others] = inputs;
  const count = all.length / rows;
  check(rows > 0 && all.length === narrowed.length && Number.isInteger(count), "sums are not each block's");
  const [sums, narrow] = [all, narrowed].map((words) => matrix(unsigned(words), count));
  const x = others.map(signed);
  check(0 <= first && first < last && last <= count && x.length === last - first, "blocks are not the sums'");
  const fits = x.every((words) => words.length === stop - start);
  check(start >= 0 && stop <= rows * width && fits, "a part is not the heads'");
  const by = shifts(sums, narrow);
  return x[0].map((_, at) => {
    const head = Math.floor((start + at) / width);
    return i32(x.reduce((total, words, block) => total + roundShift(words[at], by[first + block][head]), 0));
  });
}

// By how many bits each block's sums are narrowed, of sums of weights and of narrowed weights.
function shifts(sums, narrow) {
  const own = sums.map((row) => row.map((sum) => Math.max(bitLength(sum) - 16, 0)));
  const apart = own.map((row) => row.map((shift, head) => Math.max(...own.map((each) => each[head])) - shift));
  const totals = narrow[0].map((_, head) =>
    i32(narrow.reduce((total, row, block) => total + roundShift(row[head], apart[block][head]), 0)),
  );
  return apart.map((row) => row.map((shift, head) => shift + more(totals[head])));
}

const more = (total) => (total <= WHOLE ? 0 : bitLength(total) - 16);
