// A run as a computation that can be disputed, as inference/computation.py: it runs a schedule (export.schedule) on a
// device and shows every node's output, or the digests of its leaves, hashed where they lie.

import { build, guarded, submit, write } from "./engine.js";
import { leafDispatches, leafKernel } from "./leaves.js";
import { BoundError, result } from "../steps.js";

const PIECE = 32; // dispatches submitted at once where a processor runs them

// `model` is what engine.load gives. `steps(node, leaf)` gives a leaf's derivation, `constants` the tiles that steps
// read. With `onDevice` only digests, caches and choices are read back. `flip`, an adversary's, is {node, element}: bit
// 0 of that word is flipped, and what follows is computed from it.
export function computation(model, schedule, options = {}) {
  const { steps, constants, onDevice = false, flip = null, progress = () => {} } = options;
  const { gpu } = model, { programs, passes, choices, end } = schedule, states = new Map(), owned = [];
  let built = null, hashed = null;

  // Buffers and pipelines, until `close`.
  async function ready() {
    if (built) return;
    const made = [];
    for (const program of programs) made.push(await build(model, program, states, owned, progress));
    const pipeline = onDevice && (await leafKernel(model));
    const hashing = (each) => each.program.windows.map((window) => leafDispatches(gpu, pipeline, each, window, owned));
    [built, hashed] = [made, onDevice ? made.map(hashing) : null];
  }

  const nodesOf = (index) => programs[passes[index].program].nodes;
  const starts = [0]; // first nodes of the passes, and of what follows them
  for (const index of passes.keys()) starts.push(starts[index] + nodesOf(index).length);
  const last = starts.at(-1), linked = new Set(schedule.kept); // an output of choices comes after the last pass
  const nodes = passes.flatMap(({ name, guard }, index) => nodesOf(index).map((node) => ({ ...node, name: `${name}.${node.name}`, guard })));
  if (choices.length) nodes.push({ name: "output", op: "output", rows: 1, words: choices.length, guard: null });
  const passOf = (node) => starts.findLastIndex((start) => start <= node);
  const isKept = (node) => linked.has(node);
  const nothing = (index) => ({ shapes: nodesOf(index).map(({ words }) => [0, words]), output: () => new Int32Array() });
  const ended = (guard) => guard.length === 0 || end.includes(guard.at(-1));
  const chosen = (read) => Int32Array.from(choices, (node) => read(node).at(-1) ?? -1);

  // Shows a pass's outputs, a window at a time; `read` says whether the words themselves are wanted, `from` gives what
  // inputs are linked to. The outputs that later passes take, by node.
  async function pass(index, from, show, read) {
    const each = built[passes[index].program], { windows } = each.program, first = starts[index], taken = new Map();
    const links = Object.entries(passes[index].links).map(([name, node]) => [name, from(node)]);
    write(gpu, each, { ...passes[index].inputs, ...Object.fromEntries(links) });
    for (const [number, window] of windows.entries()) {
      const outputs = await shown(each, window, read ? null : hashed[passes[index].program][number], index);
      for (let node = first + window.nodes[0]; node < first + window.nodes[1]; node++)
        if (isKept(node) && !nodes[node].state) taken.set(node, outputs.output(node - first - window.nodes[0]).slice());
      await show(first + window.nodes[0], outputs);
    }
    return taken;
  }

  async function shown(each, window, hashing, index) {
    const [begin, end] = window.nodes, described = each.program.nodes.slice(begin, end);
    const shapes = described.map(({ rows, words }) => [rows, words]), wrong = flip && flip.node - starts[index];
    let dispatches = each.dispatches.slice(begin, end).flat();
    if (flip && begin <= wrong && wrong < end) {
      await flipped(each, each.dispatches.slice(begin, wrong + 1).flat(), each.program.nodes[wrong], passes[index].start);
      dispatches = each.dispatches.slice(wrong + 1, end).flat();
    }
    while (gpu.software && dispatches.length > PIECE) { // so that signs of life come in time
      await submit(gpu, dispatches.splice(0, PIECE), []);
      progress("running", index, passes.length);
    }
    if (!hashing) {
      const reads = window.copies.map(([arena, offset, bytes]) => [each.buffers.get(arena), bytes, offset]);
      const words = joined(await submit(gpu, dispatches, reads));
      return { shapes, output: (at) => words.subarray(window.starts[at], window.starts[at] + shapes[at][0] * shapes[at][1]) };
    }
    const kept = described.flatMap((_, at) => (isKept(starts[index] + begin + at) ? [at] : []));
    const reads = kept.map((at) => {
      const { buffer, offset } = each.place(`output ${described[at].name}`);
      return [buffer, 4 * shapes[at][0] * shapes[at][1], offset];
    });
    const [digests, ...found] = await submit(gpu, [...dispatches, ...hashing.dispatches], [...hashing.reads, ...reads]);
    return { shapes, digests: new Uint8Array(digests), output: (at) => new Int32Array(found[kept.indexOf(at)]) };
  }

  // Runs dispatches up to a node and flips bit 0 of a word of its output, in its state as well.
  async function flipped(each, dispatches, node, start) {
    const count = node.short ? 2 : 1, at = flip.element - (flip.element % count);
    const { buffer, offset } = each.place(`output ${node.name}`), from = offset + 4 * at;
    const [read] = await submit(gpu, dispatches, [[buffer, 4 * count, from]]), words = new Int32Array(read);
    words[flip.element - at] ^= 1;
    gpu.device.queue.writeBuffer(buffer, from, words);
    if (node.state) keepRows(node, start * node.words + at, words);
  }

  // Executes all nodes; the tokens, or the words of the last node. `observe(first, outputs)` may hash while the next ones
  // run; `token(id, index)` is told of each token, `progress` of each pass.
  async function run(observe, { token = () => {} } = {}) {
    const found = new Map();
    let pending = null;
    await guarded(gpu, ready);
    const show = async (first, outputs) => {
      await pending;
      pending = observe(first, outputs);
    };
    for (const [index, { guard }] of passes.entries()) {
      progress("running", index, passes.length);
      if (guard !== null && ended(found.get(guard))) {
        for (let node = starts[index]; node < starts[index + 1]; node++) if (isKept(node)) found.set(node, new Int32Array());
        await show(starts[index], nothing(index));
        continue;
      }
      const taken = await guarded(gpu, () => pass(index, (node) => found.get(node), show, !onDevice));
      for (const [node, words] of taken) {
        found.set(node, words);
        if (choices.includes(node)) token(words.at(-1), choices.indexOf(node));
      }
    }
    const output = choices.length ? chosen((node) => found.get(node)) : found.get(last - 1);
    if (choices.length) await show(last, { shapes: [[1, choices.length]], output: () => output });
    await pending;
    return choices.length ? Array.from(output).filter((id) => id >= 0) : Array.from(output);
  }

  // Writes words of a node's output, from one on, to its state; of a short one two share a word there.
  function keepRows({ state, short }, from, words) {
    gpu.device.queue.writeBuffer(states.get(state), (short ? 2 : 4) * from, short ? Int16Array.from(words) : words);
  }

  // The outputs of all nodes of a node's pass, from kept ones of the passes before it; only that pass is run.
  async function regenerate(node, kept) {
    if (node === last) return new Map([[last, chosen(kept)]]);
    const index = passOf(node), first = starts[index], { guard } = nodes[node], outputs = new Map();
    if (guard !== null && ended(kept(guard))) {
      for (let other = first; other < starts[index + 1]; other++) outputs.set(other, new Int32Array());
      return outputs;
    }
    await guarded(gpu, ready);
    for (let before = 0; before < first; before++) {
      const { start } = passes[passOf(before)];
      if (nodes[before].state) keepRows(nodes[before], start * nodes[before].words, kept(before));
    }
    const keep = async (from, { shapes, output }) => shapes.forEach((_, at) => outputs.set(from + at, output(at).slice()));
    await guarded(gpu, () => pass(index, kept, keep, true));
    return outputs;
  }

  // The words of a step from those of its sources; null where they are such as no honest run gives.
  async function recompute(step, inputs) {
    try {
      return await result(step, constants, inputs);
    } catch (error) {
      if (error instanceof BoundError) return null;
      throw error;
    }
  }

  // Gives the device's memory back; what is asked for later takes it again.
  function close() {
    for (const buffer of [...states.values(), ...owned.splice(0)]) buffer.destroy();
    states.clear();
    [built, hashed] = [null, null];
  }

  return { nodes, isKept, run, regenerate, ended, steps, recompute, close };
}

// The bytes of buffers, one after another, as words.
function joined(buffers) {
  const words = new Int32Array(buffers.reduce((sum, each) => sum + each.byteLength, 0) / 4);
  let at = 0;
  for (const each of buffers) {
    words.set(new Int32Array(each), at);
    at += each.byteLength / 4;
  }
  return words;
}
