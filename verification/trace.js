// The trace of a run, as trace.py: every node's output in schedule order, committed in one Merkle tree. A computation is
// {nodes, isKept, run, regenerate, ended, steps, recompute}, as computation.py describes; outputs of some nodes are
// {shapes, output(index)} and may bring the digests of their leaves, one after another.

import { sha256 } from "./encoding/canonical.js";
import { leafDigest, nodeDigest, nullDigest, tree } from "./merkle.js";

export const LEAF = 1024, DIGEST = 32;
const PREFIX = Uint8Array.of(0, 0x69, 0x33, 0x32); // 0, "i32"

export const chunks = (node) => Math.ceil(node.words / LEAF);
export const leaves = (node) => node.rows * chunks(node);
export const leafWords = (node, leaf) => Math.min(LEAF, node.words - LEAF * (leaf % chunks(node)));

// Runs a computation and commits to its trace; what a batch gave is hashed while the next one runs. `timed.hashing` is
// added the milliseconds for which that took.
export async function record(computation, { timed = { hashing: 0 }, ...options } = {}) {
  const digests = [], kept = new Map(), found = [];
  const observe = async (first, outputs) => {
    const { shapes, output } = outputs, started = performance.now();
    shapes.forEach((_, at) => computation.isKept(first + at) && kept.set(first + at, output(at).slice()));
    const ofLeaves = outputs.digests ? split(outputs.digests) : await leafDigests(outputs);
    let start = 0;
    const made = shapes.map(async ([rows, words]) => {
      const count = rows * Math.ceil(words / LEAF), mine = ofLeaves.slice(start, (start += count));
      return [mine, count ? await nodeDigest(rows, words, (await tree(mine)).at(-1)[0]) : await nullDigest()];
    });
    for (const [mine, digest] of await Promise.all(made)) {
      digests.push(mine);
      found.push(digest);
    }
    timed.hashing += performance.now() - started;
  };
  const tokens = await computation.run(observe, options);
  return { computation, tokens, digests, kept, nodes: await tree(found), trees: new Map(), derived: new Map(), again: new Map() };
}

// The digests of all leaves of some nodes' outputs, in order.
export function leafDigests({ shapes, output }) {
  return Promise.all(shapes.flatMap(([rows, words], at) => {
    const all = rows ? output(at) : null, found = [];
    for (let row = 0; row < rows; row++)
      for (let start = 0; start < words; start += LEAF)
        found.push(hashed(all.subarray(row * words + start, row * words + Math.min(words, start + LEAF))));
    return found;
  }));
}

// As leafDigest, of words whose memory is little-endian, as WebGPU's is.
function hashed(words) {
  const message = new Uint8Array(8 + words.byteLength);
  message.set(PREFIX);
  message.set(new Uint8Array(Uint32Array.of(words.length).buffer), 4);
  message.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), 8);
  return sha256(message);
}

export const root = (trace) => trace.nodes.at(-1)[0];

// The tree of a node's leaves; null where the node is.
export async function treeOf(trace, node) {
  if (!trace.trees.has(node)) trace.trees.set(node, trace.digests[node].length ? await tree(trace.digests[node]) : null);
  return trace.trees.get(node);
}

// The words of a committed leaf; none where its node is null.
export async function leafOf(trace, node, leaf) {
  const shape = trace.computation.nodes[node], output = await outputOf(trace, node);
  const start = Math.floor(leaf / chunks(shape)) * shape.words + LEAF * (leaf % chunks(shape));
  return output.slice(start, start + leafWords(shape, leaf));
}

async function outputOf(trace, node) {
  const kept = (each) => trace.kept.get(each) ?? new Int32Array();
  if (trace.kept.has(node)) return trace.kept.get(node);
  if (!trace.again.has(node)) trace.again = await trace.computation.regenerate(node, kept);
  return trace.again.get(node);
}

// The results of a leaf's steps; the last is the committed leaf, whatever the steps give.
export async function derivation(trace, node, leaf) {
  const name = `${node} ${leaf}`;
  if (!trace.derived.has(name)) trace.derived.set(name, await derive(trace, node, leaf));
  return trace.derived.get(name);
}

async function derive(trace, node, leaf) {
  const steps = await trace.computation.steps(node, leaf), results = [];
  for (const step of steps.slice(0, -1)) {
    const inputs = [];
    for (const source of step.sources) inputs.push(Array.isArray(source) ? await leafOf(trace, ...source) : results[source]);
    results.push((await trace.computation.recompute(step, inputs)) ?? new Int32Array(step.words));
  }
  return [...results, await leafOf(trace, node, leaf)];
}

export const resultDigests = (results) => Promise.all(results.map(leafDigest));

function split(digests) {
  return Array.from({ length: digests.length / DIGEST }, (_, at) => digests.slice(DIGEST * at, DIGEST * (at + 1)));
}
