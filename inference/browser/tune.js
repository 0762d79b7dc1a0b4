// Which variant of a kernel this device runs fastest, as measure/tune.py finds it; kept per adapter in this browser.
import { build, guarded, load, submit, write } from "/engine.js";

const REPEAT = 4; // dispatches in one submission

const key = ({ name, lanes }) => `tuning ${name} ${lanes}`;

// By case, the variant that was fastest; none where nothing was measured.
export const kept = (gpu) => JSON.parse(localStorage.getItem(key(gpu)) ?? "{}");

// Measures every case, or the first so many, in so many seconds besides compiling; keeps and gives the choices.
export async function tune(gpu, { fetched, kernel, tell, first = Infinity, seconds = 1 }) {
  const { lanes, subgroups, features } = gpu, device = { lanes, subgroups, features }, choices = {}, slow = new Map();
  const asked = async (body) => (await fetched("/tune", { ...device, ...body })).json();
  const { cases, patience } = await asked({}), share = (1000 * seconds) / cases.length;
  for (const [index, { of, large }] of cases.slice(0, first).entries()) {
    tell("measuring kernels", index, cases.length);
    if (large && slow.get(of) > share * patience) continue;
    const found = await asked({ index }), times = await guarded(gpu, () => measured(gpu, kernel, found, share));
    if (!times.size) continue;
    slow.set(of, Math.max(...times.values()));
    choices[found.case] = [...times].reduce((best, each) => (each[1] < best[1] ? each : best))[0];
  }
  localStorage.setItem(key(gpu), JSON.stringify(choices));
  return choices;
}

// Milliseconds of a dispatch by variant, the best seen; one that is twice as slow as the fastest does not come back.
async function measured(gpu, kernel, { inputs, weights, variants }, share) {
  const model = load(gpu, { kernel, weight: (name) => new ArrayBuffer(weights[name]) });
  const owned = [], times = new Map(), runs = new Map();
  try {
    for (const [variant, program] of Object.entries(variants)) {
      const built = await build(model, program, new Map(), owned, () => {}), dispatches = built.dispatches.flat();
      write(gpu, built, inputs);
      runs.set(variant, Array(REPEAT).fill(dispatches).flat());
      await submit(gpu, dispatches, []); // compiled by now, whatever the driver puts off
    }
    const timed = async (variant) => {
      const started = performance.now();
      await submit(gpu, runs.get(variant), []);
      times.set(variant, Math.min(times.get(variant) ?? Infinity, (performance.now() - started) / REPEAT));
    };
    for (const variant of runs.keys()) await timed(variant);
    const end = performance.now() + share;
    while (runs.size && performance.now() < end)
      for (const variant of runs.keys()) if (times.get(variant) < 2 * Math.min(...times.values())) await timed(variant);
    return times;
  } finally {
    for (const buffer of [...owned, ...model.weights.values()]) buffer.destroy();
  }
}
