// Runs an exported program (see ../program.py) on navigator.gpu: the same graph, the same WGSL files.

const SLOT = 256; // bytes between the Params of two nodes

async function json(path) {
  const answer = await fetch(path);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}

const text = async (path) => (await fetch(path)).text();

export class Runner {
  // Device, pipelines, weights; progress(message) is called on the way.
  static async open(progress) {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) throw new Error("this browser has no WebGPU adapter");
    const runner = new Runner();
    runner.about = await json("model.json");
    runner.program = runner.about.program;
    runner.adapter = [adapter.info?.vendor, adapter.info?.architecture, adapter.info?.description].filter(Boolean).join(" ");
    const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
    const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
    runner.device = device;
    runner.lost = null;
    device.lost.then((info) => { runner.lost = info.message || info.reason; });
    await runner.#buffers(progress);
    await runner.#dispatches(progress);
    return runner;
  }

  #buffer(name, size) {
    const limit = Math.min(this.device.limits.maxStorageBufferBindingSize, this.device.limits.maxBufferSize);
    if (size > limit) throw new Error(`the buffer ${name} needs ${size} bytes; the adapter allows ${limit}`);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return this.device.createBuffer({ size: Math.max(size, 16), usage });
  }

  async #buffers(progress) {
    this.buffers = {};
    for (const [name, size] of Object.entries(this.program.sizes)) this.buffers[name] = this.#buffer(name, size);
    for (const [index, name] of this.program.weights.entries()) {
      progress(`weights ${index + 1} of ${this.program.weights.length}`);
      const words = await (await fetch(`weights/${index}`)).arrayBuffer();
      this.buffers[name] = this.#buffer(name, words.byteLength);
      this.device.queue.writeBuffer(this.buffers[name], 0, words);
    }
  }

  async #dispatches(progress) {
    const { arithmetic, lanes, steps } = this.program;
    const prelude = arithmetic === "exact" ? await text("kernels/exact/fixed_point.wgsl") : "";
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const parameters = this.device.createBuffer({ size: SLOT * steps.length, usage });
    const pipelines = {};
    this.dispatches = [];
    for (const [index, step] of steps.entries()) {
      const key = `${step.kernel} ${step.entry}`;
      if (!pipelines[key]) {
        progress(`kernel ${step.kernel}`);
        const module = this.device.createShaderModule({ code: prelude + (await text(`kernels/${arithmetic}/${step.kernel}`)) });
        const compute = { module, entryPoint: step.entry, constants: { lanes } };
        pipelines[key] = await this.device.createComputePipelineAsync({ layout: "auto", compute });
      }
      this.device.queue.writeBuffer(parameters, SLOT * index, new Uint8Array(step.parameters));
      const entries = Object.entries(step.bindings).map(([binding, name]) => ({
        binding: Number(binding),
        resource: name === "params" ? { buffer: parameters, offset: SLOT * index, size: SLOT } : { buffer: this.buffers[name] },
      }));
      const group = this.device.createBindGroup({ layout: pipelines[key].getBindGroupLayout(0), entries });
      this.dispatches.push({ pipeline: pipelines[key], group, workgroups: step.workgroups });
    }
  }

  // One token at one position: its logits' words and the choice.
  async step(token, position) {
    const { queue } = this.device;
    queue.writeBuffer(this.buffers["input tokens"], 0, new Int32Array([token]));
    queue.writeBuffer(this.buffers["input places"], 0, new Int32Array([0, position]));
    const encoder = this.device.createCommandEncoder();
    const compute = encoder.beginComputePass();
    for (const { pipeline, group, workgroups } of this.dispatches) {
      compute.setPipeline(pipeline);
      compute.setBindGroup(0, group);
      compute.dispatchWorkgroups(...workgroups);
    }
    compute.end();
    const size = 4 * this.about.vocabulary;
    const read = this.device.createBuffer({ size: size + 4, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    encoder.copyBufferToBuffer(this.buffers[this.program.outputs.logits], 0, read, 0, size);
    encoder.copyBufferToBuffer(this.buffers[this.program.outputs.choice], 0, read, size, 4);
    queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    if (this.lost) throw new Error(`the device was lost: ${this.lost}`);
    const words = new Int32Array(read.getMappedRange().slice(0));
    read.destroy();
    return { logits: words.subarray(0, -1), choice: words[words.length - 1] };
  }

  // Up to `limit` tokens after a prompt; token(id) is called for each. The digest is that of `python -m inference run`.
  async run(ids, limit, token) {
    const words = [];
    const tokens = [];
    let result;
    for (const [position, id] of ids.entries()) result = await this.step(id, position);
    const started = performance.now();
    for (;;) {
      words.push(result.logits);
      tokens.push(result.choice);
      token(result.choice);
      if (tokens.length >= limit || this.about.end.includes(result.choice)) break;
      result = await this.step(result.choice, ids.length + tokens.length - 1);
    }
    const rate = (1000 * (tokens.length - 1)) / (performance.now() - started);
    const all = new Int32Array(words.reduce((sum, part) => sum + part.length, tokens.length));
    let at = 0;
    for (const part of [...words, tokens]) {
      all.set(part, at);
      at += part.length;
    }
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
    const digest = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return { tokens, digest, tokensPerSecond: rate };
  }
}

export const encode = (prompt) => json(`encode?text=${encodeURIComponent(prompt)}`);
export const decode = (ids) => json(`decode?ids=${ids.join(",")}`);
