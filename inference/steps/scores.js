import { check, i32, sum } from "../arithmetic/fixed_point.js";
import { matrix, pieces } from "./_operands.js";

export async function result(numbers, constants, inputs) {
  const of = keyHeads(numbers), query = matrix(pieces(inputs, numbers.query), of.length);
  const keys = vectors(numbers.keys, inputs, of, query[0].length);
  return of.flatMap((_, head) => keys[head].map((key) => dot(query[head], key)));
}

// The key head of each head, the first one's being 0.
export function keyHeads({ heads: [start, stop], group }) {
  check(start < stop, "there are no heads");
  const first = Math.floor(start / group);
  return Array.from({ length: stop - start }, (_, at) => Math.floor((start + at) / group) - first);
}

// Of each head and position, its key or value.
export function vectors(places, inputs, of, width) {
  const read = places.map((each) => matrix(pieces(inputs, each), of.at(-1) + 1));
  check(read.every(([vector]) => vector.length === width), "keys or values are not of a head's width");
  return of.map((head) => read.map((position) => position[head]));
}

function dot(query, key) {
  const products = query.map((word, at) => word * key[at]);
  // A partial sum is at most half of this by either sign.
  check(sum(products.map(Math.abs)) < 2 ** 32, "a sum of products is not of 32 bits");
  return i32(sum(products));
}
