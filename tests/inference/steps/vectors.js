// Holds the kinds of steps in JavaScript against vectors of Python: {checked, failures}, one line each.

import { allowed, BoundError, result } from "../../../inference/steps.js";

export async function check({ sizes, tile, vectors }) {
  const failures = [];
  for (const { sources, words, macs, made } of sizes)
    if (allowed(sources, words, macs) !== made) failures.push(`${sources} sources, ${words} words, ${macs} multiply-accumulates`);
  for (const [at, vector] of vectors.entries()) {
    const found = await computed(vector, tile);
    if (found !== vector.result) failures.push(`vector ${at}, ${vector.kind}: ${found}, not ${vector.result}`);
  }
  return { checked: sizes.length + vectors.length, failures };
}

// What Python writes of a step: its words in base64, null where it is refused.
async function computed(vector, tile) {
  const constants = {
    shape: (name) => [vector.constants[name].rows, vector.constants[name].columns],
    tile: async (name, index) => {
      const { rows, columns, tiles } = vector.constants[name], numbers = words(tiles[index]);
      const across = Math.ceil(columns / tile.columns), down = Math.floor(index / across), over = index % across;
      const high = Math.min(tile.rows, rows - down * tile.rows), wide = Math.min(tile.columns, columns - over * tile.columns);
      if (numbers.length !== high * wide) throw new Error(`tile ${index} of ${name} is of ${numbers.length} numbers`);
      return Array.from(numbers);
    },
  };
  try {
    return text(await result(vector, constants, vector.inputs.map(words)));
  } catch (refused) {
    return refused instanceof BoundError ? null : `${refused.name}: ${refused.message}`;
  }
}

function words(text) {
  const view = new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  return Int32Array.from({ length: view.byteLength / 4 }, (_, at) => view.getInt32(4 * at, true));
}

function text(words) {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, at) => view.setInt32(4 * at, word, true));
  return btoa(Array.from(new Uint8Array(view.buffer), (byte) => String.fromCharCode(byte)).join(""));
}
