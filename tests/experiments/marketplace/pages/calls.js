// What the tests call in a page.

import { machine } from "/js/experiments/marketplace/pages/machine.js";
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
async function traced({ model: name, digest, task, onDevice = false, flip = null, end = null, timed }) {
  const { files, loaded } = await model(name, digest), { lanes, subgroups, features, limits } = gpu;
  const schedule = await files.schedule(task, { lanes, subgroups, features, largest: Math.min(...Object.values(limits)) });
  const options = { onDevice, flip, steps: files.steps(task), constants: files.constants };
  return record(computation(loaded, { ...schedule, end: end ?? schedule.end }, options), { timed });
}

export async function commit(given) {
  const started = performance.now(), timed = { hashing: 0 }, trace = await traced({ ...given, timed });
  trace.computation.close();
  return { tokens: trace.tokens, root: hex(root(trace)), milliseconds: performance.now() - started, ...timed };
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

// Two runs of a task by one machine, whose device is lost between them and again in the middle of the second.
export async function lose({ model: name, digest, task }) {
  const said = [], device = machine({ onLost: (sentence) => said.push(sentence) });
  const first = await device.run(name, digest, task);
  const gpu = (await device.adapter()).device;
  gpu.destroy();
  await gpu.lost;
  let lost = false;
  const token = async () => {
    if (lost) return;
    lost = true;
    (await device.adapter()).device.destroy();
  };
  const second = await device.run(name, digest, task, { told: { progress() {}, token } });
  return { roots: [hex(first.root), hex(second.root)], said };
}

// Why a model's files are refused where a bit of what is served under a path is flipped.
export async function tampered({ model: name, digest, path, weight, constant }) {
  const honest = globalThis.fetch;
  globalThis.fetch = async (asked, ...options) => {
    const response = await honest(asked, ...options);
    if (!asked.startsWith(path)) return response;
    const raw = new Uint8Array(await response.arrayBuffer());
    raw[raw.length >> 1] ^= 1;
    return new Response(raw, { status: response.status });
  };
  try {
    const files = await modelFiles(name, digest);
    await files.kernel("exact/embedding.wgsl");
    await files.weight(weight);
    await files.constants.tile(constant, 0);
  } catch (refusal) {
    return { reason: refusal.reason };
  } finally {
    globalThis.fetch = honest;
  }
  return { reason: "" };
}

const imported = (key) => crypto.subtle.importKey("pkcs8", binary(key), "Ed25519", false, ["sign"]);

export async function close() {}
