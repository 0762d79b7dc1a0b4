// Digests of leaves on the device, by leaf_digests.wgsl over the arenas in which the outputs of a window lie.

import { bindGroup, pipelineOf, storage, uniform } from "./engine.js";

export const LEAF = 1024; // words of a leaf, at most
const SLOT = 256, DIGEST = 32;

// The kernel, compiled once for a model.
export async function leafKernel({ gpu, kernel, pipelines }) {
  if (!pipelines.has("leaves"))
    pipelines.set("leaves", await pipelineOf(gpu, await kernel("leaf_digests.wgsl"), "main", { lanes: gpu.lanes }));
  return pipelines.get("leaves");
}

// What hashes a window of a built program after its dispatches: {dispatches, reads}, the digests in schedule order.
export function leafDispatches(gpu, pipeline, { program, buffers }, window, owned) {
  const made = (buffer) => { owned.push(buffer); return buffer; };
  const places = leafPlaces(program, window), count = [...places.values()].reduce((sum, each) => sum + each.length, 0);
  const table = made(storage(gpu, "leaves", 16 * count)), digests = made(storage(gpu, "digests", DIGEST * count));
  const parameters = made(uniform(gpu, SLOT * places.size));
  gpu.device.queue.writeBuffer(table, 0, new Uint32Array([...places.values()].flat(2)));
  let begin = 0;
  const dispatches = [...places].map(([arena, leaves], index) => {
    const end = begin + leaves.length;
    gpu.device.queue.writeBuffer(parameters, SLOT * index, new Uint32Array([begin, end]));
    const group = bindGroup(gpu, pipeline, [
      [0, { buffer: parameters, offset: SLOT * index, size: 16 }],
      [1, { buffer: buffers.get(arena) }],
      [2, { buffer: table }],
      [3, { buffer: digests }],
    ]);
    begin = end;
    return { pipeline, group, workgroups: [Math.ceil(leaves.length / gpu.lanes), 1, 1] };
  });
  return { dispatches, reads: [[digests, DIGEST * count]] };
}

// By arena, of each leaf in it: its first word there, its words, its place among the window's leaves, 0.
function leafPlaces(program, window) {
  const places = new Map();
  let index = 0;
  for (const { name, rows, words } of program.nodes.slice(...window.nodes)) {
    const [arena, offset] = program.regions[`output ${name}`];
    if (!places.has(arena)) places.set(arena, []);
    for (let row = 0; row < rows; row++)
      for (let at = 0; at < words; at += LEAF)
        places.get(arena).push([offset / 4 + row * words + at, Math.min(LEAF, words - at), index++, 0]);
  }
  return places;
}
