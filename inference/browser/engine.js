// Runs exported programs (inference/device/export.py) on navigator.gpu: the same dispatches, parameters and .wgsl files as in
// Python. What depends on a model or a shape was settled there; here are buffers, pipelines, submissions and digests.

const SLOT = 256; // bytes between the parameters of two nodes: the offset alignment of every adapter
const LIMITS = ["maxStorageBufferBindingSize", "maxBufferSize"];

// What a reader is told in one sentence.
export class Refusal extends Error {}

// The adapter, opened: {device, name, lanes, subgroups, features, limits, software}; lanes are invocations a workgroup, features WGSL's.
export async function open() {
  if (!globalThis.isSecureContext) throw new Refusal("WebGPU needs a page from https, localhost or a file.");
  if (!navigator.gpu) throw new Refusal("This browser has no WebGPU, or has it switched off.");
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Refusal("This browser has WebGPU but finds no adapter for it.");
  const limits = Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]]));
  const features = ["subgroups"].filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ requiredLimits: limits, requiredFeatures: features });
  const info = adapter.info;
  const words = [info.vendor, info.architecture, info.description || info.device].filter(Boolean);
  const gpu = { device, limits, name: [...new Set(words)].join(" ") || "an adapter the browser does not name", lost: null, subgroups: false };
  gpu.features = [...(navigator.gpu.wgslLanguageFeatures ?? [])];
  device.lost.then((lost) => { gpu.lost = `The device was lost: ${(lost.message || lost.reason).replace(/\.$/, "")}.`; });
  // Rasterisers on processors run few invocations at a time.
  gpu.software = info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(gpu.name);
  gpu.lanes = gpu.software ? 16 : 64;
  return gpu;
}

// Whether subgroups have the 8 lanes that the subgroup kernels want: measured, as in Python.
export async function measureSubgroups(gpu, kernel) {
  if (!gpu.device.features.has("subgroups")) return false;
  const code = "enable subgroups;\n" + (await kernel("subgroup_size.wgsl"));
  gpu.subgroups = (await compute(gpu, code, new Int32Array(1), 1))[0] >= 8;
  return gpu.subgroups;
}

// One workgroup of a kernel that stands for itself: x in, an Int32Array of `words` words out.
export async function compute(gpu, code, x, words) {
  return guarded(gpu, async () => {
    const pipeline = await pipelineOf(gpu, code, "main", {});
    const [given, output] = [storage(gpu, "x", x.byteLength), storage(gpu, "output", 4 * words)];
    gpu.device.queue.writeBuffer(given, 0, x);
    const group = bindGroup(gpu, pipeline, [[0, { buffer: given }], [1, { buffer: output }]]);
    const [read] = await submit(gpu, [{ pipeline, group, workgroups: [1, 1, 1] }], [[output, 4 * words]]);
    return new Int32Array(read);
  });
}

// A model on a device; weights and pipelines stay from run to run. `kernel(path)` gives the text of a .wgsl file,
// `weight(key)` the words of a weight (an ArrayBuffer).
export function load(gpu, { kernel, weight }) {
  return { gpu, kernel, weight, weights: new Map(), pipelines: new Map() };
}

// A run: {tokens, digest, prefill, decode}, rates in tokens a second. `progress(what, done, all)` is told of the loading
// and the prompt, `token(id, index, digest)` of each token, with the SHA-256 of its logits; if it gives true, no more come.
export async function generate(model, run, { progress = () => {}, token = () => {} } = {}) {
  return guarded(model.gpu, async () => {
    const states = new Map(), owned = [], programs = [];
    try {
      for (const program of run.programs) programs.push(await build(model, program, states, owned, progress));
      return await decode(model.gpu, run, programs, { progress, token });
    } finally {
      for (const buffer of [...states.values(), ...owned]) buffer.destroy();
    }
  });
}

// Each pass reads its logits and its choice; what an input is linked to is the choice of a pass before.
async function decode(gpu, run, programs, { progress, token }) {
  const logits = [], choices = [], tokens = [];
  const last = run.passes.length - run.limit; // pass of the prompt
  let prefill = null, spent = 0;
  for (const [index, { program, inputs, links, guard, start }] of run.passes.entries()) {
    if (guard !== null && run.end.includes(choices[guard].at(-1))) break;
    const reading = start < run.tokens, [done, all] = reading ? [start, run.tokens] : [tokens.length + 1, run.limit];
    progress(reading ? "reading the prompt" : "writing", done, all);
    const started = performance.now();
    const linked = Object.entries(links).map(([name, from]) => [name, choices[from]]);
    const [words, choice] = await pass(gpu, programs[program], { ...inputs, ...Object.fromEntries(linked) });
    spent += seconds(started);
    if (run.arithmetic === "float32" && !new Float32Array(words).every(Number.isFinite)) {
      throw new Refusal("The model gives logits that are not finite in float32: its weights are too large.");
    }
    logits.push(words);
    choices.push(new Int32Array(choice));
    if (index < last) continue;
    if (index === last) [prefill, spent] = [run.tokens / spent, 0];
    tokens.push(choices[index].at(-1));
    if (await token(tokens.at(-1), tokens.length - 1, await sha256([words]))) break;
  }
  // As in generate.py: the logits of every step, as their words, and the tokens.
  const digest = await sha256([...logits, new Int32Array(tokens).buffer]);
  return { tokens, digest, prefill, decode: tokens.length > 1 ? (tokens.length - 1) / spent : null };
}

const seconds = (started) => (performance.now() - started) / 1000;

// Buffers, pipelines and bind groups of one program; `states` are shared with the run's other programs, `owned` not.
export async function build(model, program, states, owned, progress) {
  const { gpu } = model, buffers = new Map();
  const made = (buffer) => { owned.push(buffer); return buffer; };
  for (const [name, { kind, bytes }] of Object.entries(program.buffers)) {
    if (kind === "state" && !states.has(name)) states.set(name, storage(gpu, name, bytes));
    buffers.set(name, kind === "state" ? states.get(name) : made(storage(gpu, name, bytes)));
  }
  for (const [index, key] of program.weights.entries()) {
    if (!model.weights.has(key)) {
      progress("loading weights", index, program.weights.length);
      const words = await model.weight(key);
      const buffer = storage(gpu, key, words.byteLength);
      gpu.device.queue.writeBuffer(buffer, 0, words);
      model.weights.set(key, buffer);
    }
    buffers.set(key, model.weights.get(key));
  }
  const place = (name) => {
    const [buffer, offset, size] = program.regions[name] ?? [name];
    return { buffer: buffers.get(buffer), offset, size };
  };
  const all = program.dispatches.flat(), parameters = made(uniform(gpu, SLOT * all.length)), bound = new Map();
  for (const [index, each] of all.entries()) {
    progress("compiling kernels", index, all.length);
    const pipeline = await kernelPipeline(model, each);
    gpu.device.queue.writeBuffer(parameters, SLOT * index, new Uint32Array(each.params));
    const entries = Object.entries(each.bindings).map(([at, name]) => [Number(at), place(name)]);
    entries.push([0, { buffer: parameters, offset: SLOT * index, size: SLOT }]);
    bound.set(each, { pipeline, group: bindGroup(gpu, pipeline, entries), workgroups: each.workgroups });
  }
  const reads = program.outputs.map(([buffer, bytes]) => [buffers.get(buffer), bytes]);
  const dispatches = program.dispatches.map((ofNode) => ofNode.map((each) => bound.get(each)));
  return { program, dispatches, buffers, place, reads };
}

function pass(gpu, built, inputs) {
  write(gpu, built, inputs);
  return submit(gpu, built.dispatches.flat(), built.reads);
}

// A pass's inputs, by the names of their buffers.
export function write({ device }, { buffers }, inputs) {
  for (const [name, values] of Object.entries(inputs)) device.queue.writeBuffer(buffers.get(name), 0, new Int32Array(values));
}

async function kernelPipeline(model, { kernel, entry, subgroups, lanes }) {
  const key = [kernel.at(-1), entry, lanes].join(" ");
  if (!model.pipelines.has(key)) {
    const texts = await Promise.all(kernel.map(model.kernel));
    const code = (subgroups ? "enable subgroups;\n" : "") + texts.join("");
    model.pipelines.set(key, await pipelineOf(model.gpu, code, entry, { lanes }));
  }
  return model.pipelines.get(key);
}

export function pipelineOf({ device }, code, entryPoint, constants) {
  const compute = { module: device.createShaderModule({ code }), entryPoint, constants };
  return device.createComputePipelineAsync({ layout: "auto", compute });
}

export function bindGroup({ device }, pipeline, entries) {
  return device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: entries.map(([binding, resource]) => ({ binding, resource })),
  });
}

export function storage(gpu, name, bytes) {
  for (const limit of LIMITS) {
    if (bytes > gpu.limits[limit]) {
      throw new Refusal(`The buffer ${name} needs ${bytes} bytes; ${limit} of ${gpu.name} is ${gpu.limits[limit]}.`);
    }
  }
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return gpu.device.createBuffer({ size: Math.max(bytes, 16), usage });
}

export function uniform({ device }, size) {
  return device.createBuffer({ size, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
}

// One submission; then the bytes of `reads`, each a buffer, a length and where it begins, as ArrayBuffers.
export async function submit({ device }, dispatches, reads) {
  const encoder = device.createCommandEncoder(), compute = encoder.beginComputePass();
  for (const { pipeline, group, workgroups } of dispatches) {
    compute.setPipeline(pipeline);
    compute.setBindGroup(0, group);
    compute.dispatchWorkgroups(...workgroups);
  }
  compute.end();
  const size = reads.reduce((sum, [, bytes]) => sum + bytes, 0);
  if (!size) {
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return [];
  }
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  let at = 0;
  for (const [buffer, bytes, offset = 0] of reads) {
    encoder.copyBufferToBuffer(buffer, offset, staging, at, bytes);
    at += bytes;
  }
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const all = staging.getMappedRange().slice(0);
  staging.destroy();
  at = 0;
  return reads.map(([, bytes]) => all.slice(at, (at += bytes)));
}

// The work, or one sentence that says what the device would not do.
export async function guarded(gpu, work) {
  const { device } = gpu;
  if (gpu.lost) throw new Refusal(gpu.lost);
  for (const filter of ["validation", "out-of-memory"]) device.pushErrorScope(filter);
  let result, failure = null;
  try {
    result = await work();
  } catch (error) {
    failure = error;
  }
  for (const what of ["ran out of memory", "refused the work"]) {
    const error = await device.popErrorScope().catch(() => null);
    if (error && !(failure instanceof Refusal)) failure = new Refusal(`${gpu.name} ${what}: ${error.message}`);
  }
  if (gpu.lost && failure) failure = new Refusal(gpu.lost);
  if (failure) throw failure;
  return result;
}

// SHA-256, in hexadecimal, of buffers one after another.
export async function sha256(buffers) {
  const bytes = new Uint8Array(await new Blob(buffers).arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
