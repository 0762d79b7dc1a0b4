// What the tests call in a page.

import { load, measureSubgroups, open } from "/js/inference/browser/engine.js";
import { computation } from "/js/inference/browser/computation.js";
import { hex } from "/js/verification/encoding/canonical.js";
import { record, root } from "/js/verification/trace.js";

const kernel = async (path) => (await fetch(`/kernels/${path}`)).text();
const models = new Map();
let gpu = null;

async function post(path, body) {
  const response = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  return response.json();
}

async function model(name) {
  if (!gpu) {
    gpu = await open();
    await measureSubgroups(gpu, kernel);
  }
  const weight = async (key) => (await fetch(`/models/${name}/weights/${encodeURIComponent(key)}`)).arrayBuffer();
  if (!models.has(name)) models.set(name, load(gpu, { kernel, weight }));
  return models.get(name);
}

// A task's run, committed to; `end` are other end tokens than the model's.
async function traced({ model: name, task, onDevice = false, flip = null, end = null }) {
  const loaded = await model(name), { lanes, subgroups, limits } = gpu;
  const largest = Math.min(...Object.values(limits));
  const schedule = await post(`/models/${name}/schedule`, sorted({ ...task, lanes, subgroups, largest }));
  const made = await computation(loaded, { ...schedule, end: end ?? schedule.end }, { onDevice, flip });
  return record(made);
}

const sorted = (content) => Object.fromEntries(Object.entries(content).sort());

export async function commit(given) {
  const started = performance.now(), trace = await traced(given);
  trace.computation.close();
  return { tokens: trace.tokens, root: hex(root(trace)), milliseconds: performance.now() - started };
}
