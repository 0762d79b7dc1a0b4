// A model's manifest, and tiles of its constants by proof, as manifest.py, whose docstring says what tiles are.

import { hex, parsed } from "./encoding/canonical.js";
import { digestText, each, mapping, nameText, named, number, oneOf, read } from "./encoding/schema.js";
import { Refusal } from "./errors.js";
import { rootOf, tileDigest } from "./merkle.js";

export const ROWS = 32, COLUMNS = 1024;
const MOST = 2 ** 16, LARGEST = 2 ** 40;
const VIEWS = { i08: ["getInt8", 1], u08: ["getUint8", 1], i16: ["getInt16", 2], u16: ["getUint16", 2], i32: ["getInt32", 4], u32: ["getUint32", 4] };
const WORD = number(-(2 ** 31), 2 ** 31 - 1);
const CONSTANT = { type: oneOf(...Object.keys(VIEWS)), shape: each(number(1, 2 ** 31 - 1), 4), root: digestText };
const MANIFEST = {
  arithmetic: nameText,
  measures: named(WORD, MOST),
  attributes: named(named(WORD, MOST), MOST),
  logit_fraction: WORD,
  end: each(WORD, MOST),
  tokenizer: digestText,
  constants: named(mapping(CONSTANT), MOST),
};

// A manifest from its bytes.
export function opened(raw) {
  const found = read(MANIFEST, parsed(raw));
  for (const { shape } of Object.values(found.constants))
    if (!shape.length || shape.reduce((product, axis) => product * axis) > LARGEST)
      throw new Refusal("malformed", "constants: a shape is of at least one axis and at most 2^40 numbers");
  return found;
}

// Rows and columns of a constant.
export function matrixShape(shape) {
  return shape.length === 1 ? [1, shape[0]] : [shape[0], shape.slice(1).reduce((product, axis) => product * axis, 1)];
}

export function tileCount(shape) {
  const [rows, columns] = matrixShape(shape);
  return Math.ceil(rows / ROWS) * Math.ceil(columns / COLUMNS);
}

// Rows and columns of a constant's tile: [top, bottom, left, right].
export function tilePlace(shape, index) {
  if (!(Number.isSafeInteger(index) && 0 <= index && index < tileCount(shape)))
    throw new Refusal("no-such-tile", `there is no tile ${index} of ${tileCount(shape)}`);
  const [rows, columns] = matrixShape(shape);
  const across = Math.ceil(columns / COLUMNS);
  const [top, left] = [Math.floor(index / across) * ROWS, (index % across) * COLUMNS];
  return [top, Math.min(rows, top + ROWS), left, Math.min(columns, left + COLUMNS)];
}

// The numbers of a tile, row by row, if its proof leads to the constant's root.
export async function provenTile(manifest, name, index, raw, path) {
  if (!Object.hasOwn(manifest.constants, name)) throw new Refusal("no-such-constant", `the model has no constant ${name}`);
  const { type, shape, root } = manifest.constants[name];
  const [top, bottom, left, right] = tilePlace(shape, index);
  const [get, size] = VIEWS[type];
  const [rows, columns] = [bottom - top, right - left];
  const digest = raw.length === rows * columns * size && (await tileDigest(type, rows, columns, raw));
  const found = digest && (await rootOf(digest, index, tileCount(shape), path));
  if (!found || hex(found) !== root)
    throw new Refusal("wrong-tile", `what is given as tile ${index} of ${name} is not proven to be it`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: rows * columns }, (_, at) => view[get](at * size, true));
}
