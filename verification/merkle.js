// Digests of leaves, nodes and tiles, and Merkle trees over them, as merkle.py, whose docstring has the formulas. A
// digest is a Uint8Array of 32 bytes.

import { joined, sha256 } from "./encoding/canonical.js";
import { littleEndian } from "./encoding/schema.js";

const LETTERS = new TextEncoder();

export const nullDigest = () => sha256(Uint8Array.of(3));

export const leafDigest = (words) => sha256(Uint8Array.of(0), LETTERS.encode("i32"), u32(words.length), littleEndian(words));

export const nodeDigest = (rows, words, root) => sha256(Uint8Array.of(2), u32(rows, words), root);

// Of the numbers' bytes, little-endian and row by row; type is i08, u08, i16, u16, i32 or u32.
export const tileDigest = (type, rows, columns, numbers) =>
  sha256(Uint8Array.of(4), LETTERS.encode(type), u32(rows, columns), numbers);

export const join = (left, right) => sha256(Uint8Array.of(1), left, right);

// The levels of the tree over at least one digest, from them to the root.
export async function tree(digests) {
  const levels = [digests];
  while (levels.at(-1).length > 1) {
    const below = levels.at(-1);
    const pairs = Array.from({ length: below.length >> 1 }, (_, at) => join(below[2 * at], below[2 * at + 1]));
    levels.push([...(await Promise.all(pairs)), ...(below.length & 1 ? [below.at(-1)] : [])]);
  }
  return levels;
}

// The siblings from a leaf up to the root: an inclusion proof.
export function path(levels, index) {
  return levels.slice(0, -1).map((level, up) => level[(index >> up) ^ 1]).filter(Boolean);
}

// The digest of the leaves lo..hi - 1, which are a subtree.
export function subtree(levels, [lo, hi]) {
  const level = 32 - Math.clz32(hi - lo - 1);
  return levels[level][lo >> level];
}

// The root that a leaf and its proof lead to; null where the proof has not the length it must have.
export async function rootOf(digest, index, count, path) {
  let at = 0;
  for (; count > 1; index >>= 1, count = (count + 1) >> 1) {
    if ((index ^ 1) >= count) continue;
    if (at === path.length) return null;
    digest = await (index & 1 ? join(path[at], digest) : join(digest, path[at]));
    at += 1;
  }
  return at === path.length ? digest : null;
}

// The subtrees `levels` below a subtree, from left to right.
export function parts([lo, hi], levels) {
  if (levels === 0 || hi - lo === 1) return [[lo, hi]];
  const middle = lo + (1 << (31 - Math.clz32(hi - lo - 1)));
  return [...parts([lo, middle], levels - 1), ...parts([middle, hi], levels - 1)];
}

// The digest of a subtree from those of its parts `levels` below.
export async function folded([lo, hi], levels, digests) {
  if (levels === 0 || hi - lo === 1) return digests[0];
  const middle = lo + (1 << (31 - Math.clz32(hi - lo - 1)));
  const left = parts([lo, middle], levels - 1).length;
  return join(
    await folded([lo, middle], levels - 1, digests.slice(0, left)),
    await folded([middle, hi], levels - 1, digests.slice(left)),
  );
}

function u32(...numbers) {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((value, at) => view.setUint32(4 * at, value, true));
  return new Uint8Array(view.buffer);
}
