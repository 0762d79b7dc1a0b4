// The device that gives compute: its adapter, the models on it, and runs of tasks, one after another. A device that is
// lost is opened anew, and the run made again: the same root comes of it, on whatever adapter.

import { load, measureSubgroups, open } from "../../../inference/browser/engine.js";
import { computation } from "../../../inference/browser/computation.js";
import { record, root } from "../../../verification/trace.js";
import { modelFiles } from "./model_files.js";

const TRIAL = { prompt: Array.from({ length: 9 }, (_, at) => at), limit: 4, millionths: 0, seed: "0" }; // of a benchmark

// `onLost(sentence)` is told when the device was lost. `onDevice`: leaves are hashed there.
export function machine({ onLost = () => {}, onDevice = false } = {}) {
  const models = new Map();
  let gpu = null, last = Promise.resolve();

  async function adapter() {
    if (!gpu || gpu.lost) {
      if (gpu) onLost(gpu.lost);
      gpu = await open();
    }
    return gpu;
  }

  // A model's files, and its weights on the adapter there is now.
  async function model(name, digest) {
    const opened = await adapter(), known = models.get(digest) ?? { files: await modelFiles(name, digest) };
    if (known.loaded?.gpu !== opened) {
      if (!opened.measured) await measureSubgroups(opened, known.files.kernel);
      opened.measured = true;
      known.loaded = load(opened, known.files);
    }
    models.set(digest, known);
    return known;
  }

  // Work of the device, after all that was begun before.
  function alone(work) {
    const made = last.then(work);
    last = made.catch(() => {});
    return made;
  }

  async function attempt({ name, digest, task, cheat, told }) {
    const { files, loaded } = await model(name, digest), { lanes, subgroups, features, limits } = loaded.gpu;
    const schedule = await files.schedule(task, { lanes, subgroups, features, largest: Math.min(...Object.values(limits)) });
    const options = { onDevice, progress: told.progress, steps: files.steps(task), constants: files.constants };
    const made = computation(loaded, schedule, { ...options, flip: cheat && chosen(schedule) });
    const timed = { hashing: 0 }, started = performance.now();
    try {
      const trace = await record(made, { token: told.token, timed });
      const seconds = (performance.now() - started) / 1000;
      return { trace, root: root(trace), gpu: loaded.gpu, macs: schedule.macs, seconds, commit: timed.hashing / 1000 };
    } finally {
      made.close();
    }
  }

  // The word that a cheat flips: of a product in the middle of the schedule.
  function chosen({ programs, passes }) {
    const perPass = programs[0].nodes.length, index = Math.floor(passes.length / 2), { nodes } = programs[passes[index].program];
    const products = nodes.flatMap(({ op }, at) => (op.startsWith("matmul") ? [at] : []));
    return { node: index * perPass + products[Math.floor(products.length / 2)], element: 0 };
  }

  async function again(work) {
    try {
      return await work();
    } catch (error) {
      if (!gpu?.lost) throw error;
      return work();
    }
  }

  // A task's run, committed to: {trace, root, seconds, commit, macs}. `told.progress(what, done, all)` and
  // `told.token(id, index)` are told how it goes; what they throw ends it.
  const run = (name, digest, task, { cheat = false, told = { progress() {}, token() {} } } = {}) =>
    alone(() => again(() => attempt({ name, digest, task, cheat, told })));

  return {
    adapter, run,
    files: async (name, digest) => (await model(name, digest)).files,
    // Work that reads a trace again, which is made again first if its device was lost since.
    reading: (held, work) => alone(async () => {
      if (held.made.gpu !== (await adapter())) held.made = await again(() => attempt({ ...held, told: { progress() {}, token() {} } }));
      try {
        return await work(held.made.trace);
      } finally {
        held.made.trace.computation.close();
      }
    }),
    // Multiply-accumulates and tokens a second, commitment included; the first run compiles.
    async measure(name, digest) {
      await run(name, digest, TRIAL);
      const { macs, seconds } = await run(name, digest, TRIAL);
      return { macs_per_second: macs / seconds, tokens_per_second: TRIAL.limit / seconds };
    },
  };
}
