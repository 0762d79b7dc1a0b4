// How kinds read: pieces of their sources, windows of constants; as _operands.py. Words and matrices are lists.

import { check, i32 } from "../arithmetic/fixed_point.js";

export const LEAF = 1024, ROWS = 32;

// A source's words; it must have some.
export function signed(words) {
  check(words.length > 0, "a source is null");
  return words;
}

// Those without a sign that have the same bits.
export const unsigned = (words) => signed(words).map((word) => word >>> 0);

// A source of one word.
export function one(words) {
  check(words.length === 1, "a source is not of one word");
  return words[0];
}

// Words of the sources side by side.
export function pieces(inputs, places) {
  return places.flatMap(([source, start, stop]) => {
    const fits = 0 <= source && source < inputs.length && 0 <= start && start < stop && stop <= inputs[source].length;
    check(fits, "a piece lies outside its source");
    return inputs[source].slice(start, stop);
  });
}

// Words of the sources, of a row of a constant, or themselves: pieces, [name, row, start, stop] or ["", words ..].
export async function placed(inputs, constants, place) {
  if (typeof place[0] !== "string") return pieces(inputs, place);
  if (place[0] === "") return place.slice(1).map(i32);
  const [name, row, start, stop] = place;
  return (await window(constants, name, [row, row + 1], [start, stop]))[0];
}

// The two words of a tensor's scale.
export async function scale(inputs, constants, place) {
  const words = await placed(inputs, constants, place);
  check(words.length === 2, "a scale is not a largest and an exponent");
  return words;
}

// Words as that many rows.
export function matrix(words, rows) {
  const width = words.length / rows;
  check(rows > 0 && Number.isInteger(width), `${words.length} words are not ${rows} rows`);
  return Array.from({ length: rows }, (_, row) => words.slice(row * width, (row + 1) * width));
}

// Rows and columns of a constant, from its tiles.
export async function window(constants, name, [top, bottom], [left, right]) {
  const [height, width] = constants.shape(name), across = Math.ceil(width / LEAF);
  const inside = 0 <= top && top < bottom && bottom <= height && 0 <= left && left < right && right <= width;
  check(inside, `a window lies outside the constant ${name}`);
  const rows = Array.from({ length: bottom - top }, () => []);
  for (let down = Math.floor(top / ROWS); down * ROWS < bottom; down++)
    for (let over = Math.floor(left / LEAF); over * LEAF < right; over++) {
      const tile = await constants.tile(name, down * across + over);
      const first = over * LEAF, wide = Math.min(LEAF, width - first);
      for (let row = Math.max(top, down * ROWS); row < Math.min(bottom, (down + 1) * ROWS); row++) {
        const at = (row - down * ROWS) * wide;
        rows[row - top].push(...tile.slice(at + Math.max(left - first, 0), at + Math.min(right - first, wide)));
      }
    }
  return rows;
}
