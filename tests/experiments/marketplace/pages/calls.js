// What the tests call in a page.

import { modelFiles } from "/js/experiments/marketplace/pages/model_files.js";
import { load, measureSubgroups, open } from "/js/inference/browser/engine.js";
import { computation } from "/js/inference/browser/computation.js";
import { hex } from "/js/verification/encoding/canonical.js";
import { base64, binary } from "/js/verification/encoding/schema.js";
import { followed, message } from "/js/verification/dispute/party.js";
import { signResult } from "/js/verification/result.js";
import { record, root } from "/js/verification/trace.js";

const models = new Map(), traces = new Map();
let gpu = null;

async function model(name, digest) {
  gpu ??= await open();
  if (!models.has(name)) {
    const files = await modelFiles(name, digest);
    await measureSubgroups(gpu, files.kernel);
    models.set(name, { files, loaded: load(gpu, files) });
  }
  return models.get(name);
}

// A task's run, committed to; `end` are other end tokens than the model's.
async function traced({ model: name, digest, task, onDevice = false, flip = null, end = null }) {
  const { files, loaded } = await model(name, digest), { lanes, subgroups, limits } = gpu;
  const schedule = await files.schedule(task, { lanes, subgroups, largest: Math.min(...Object.values(limits)) });
  const options = { onDevice, flip, steps: files.steps(task), constants: files.constants };
  return record(computation(loaded, { ...schedule, end: end ?? schedule.end }, options));
}

export async function commit(given) {
  const started = performance.now(), trace = await traced(given);
  trace.computation.close();
  return { tokens: trace.tokens, root: hex(root(trace)), milliseconds: performance.now() - started };
}

// A trace kept under a name, for disputes.
export async function keep({ name, ...given }) {
  traces.set(name, await traced(given));
  return { root: hex(root(traces.get(name))) };
}

// What the party that holds a trace sends: its message's bytes, in base64.
export async function play({ name, key, party, market, begin, entries }) {
  const trace = traces.get(name), signer = await imported(key);
  const read = entries.map(({ record, message }) => ({ record: binary(record), message: message && binary(message) }));
  const state = await followed(market, binary(begin), read, trace.computation);
  return { raw: base64(await message(signer, party, state, trace)) };
}

export async function result({ name, key, party, market, lease }) {
  const { raw, output } = await signResult(await imported(key), party, market, lease, traces.get(name));
  return { raw: base64(raw), output: base64(output) };
}

const imported = (key) => crypto.subtle.importKey("pkcs8", binary(key), "Ed25519", false, ["sign"]);

export async function close() {}
