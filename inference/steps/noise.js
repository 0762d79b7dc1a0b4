import { check } from "../arithmetic/fixed_point.js";
import { LEAF, window } from "./_operands.js";

const ROTATIONS = [[13, 15, 26, 6], [17, 29, 16, 24]];

export async function result({ seed, first, count, table }, constants) {
  check(0 <= first && first < 2 ** 40 && 0 < count && count <= LEAF, "samples are not of a leaf");
  const places = Array.from({ length: count }, (_, at) => {
    const sample = first + at, word = threefry(seed, Math.floor(sample / 4))[Math.floor((sample % 4) / 2)];
    return sample % 2 ? word >>> 16 : word & 65535;
  });
  const tiles = {}; // those that are met
  for (const at of new Set(places.map((place) => Math.floor(place / LEAF))))
    [tiles[at]] = await window(constants, table, [0, 1], [at * LEAF, (at + 1) * LEAF]);
  return places.map((place) => tiles[Math.floor(place / LEAF)][place % LEAF]);
}

// Threefry2x32 with 20 rounds, of a counter below 2^32.
function threefry(seed, counter) {
  const keys = [seed[0], seed[1], seed[0] ^ seed[1] ^ 0x1bd11bda];
  let low = (counter + keys[0]) | 0, high = (Math.floor(counter / 2 ** 32) + keys[1]) | 0;
  for (let group = 0; group < 5; group++) {
    for (const by of ROTATIONS[group % 2]) {
      low = (low + high) | 0;
      high = ((high << by) | (high >>> (32 - by))) ^ low;
    }
    low = (low + keys[(group + 1) % 3]) | 0;
    high = (high + keys[(group + 2) % 3] + group + 1) | 0;
  }
  return [low, high];
}
