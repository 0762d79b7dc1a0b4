// The page that draws pictures. The address may say what to draw at once: /picture?class=40&seed=7&run
import { Refusal, build, guarded, load, measureSubgroups, open, sha256, submit, write } from "/engine.js";
import { png } from "/png.js";

const form = document.querySelector("form"), button = form.querySelector("button");
const at = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const RANGE = 22.16864013671875, LINEAR = 0.1; // metres, as inference/models/terrain.py

async function fetched(path, body) {
  const response = await fetch(path, body && { method: "POST", body: JSON.stringify(body) }).catch(() => null);
  if (!response) throw new Refusal("The server does not answer; is python -m inference serve still running?");
  if (!response.ok) throw new Refusal(sentence((await response.json()).error));
  return response;
}

const sentence = (line) => line[0].toUpperCase() + line.slice(1) + (line.endsWith(".") ? "" : ".");
const kernel = async (path) => (await fetched(`/kernels/${path}`)).text();
const weight = async (key) => (await fetched(`/pictures/${encodeURIComponent(key)}`)).arrayBuffer();

function tell(what, done = 0, all = 1) {
  at("status").className = "";
  at("status").textContent = all > 1 ? `${sentence(what).slice(0, -1)}: ${done} of ${all}` : what;
  [at("progress").value, at("progress").max] = [done, all];
}

function refuse(error) {
  at("status").className = "error";
  at("status").textContent = error instanceof Refusal ? error.message : `Something failed: ${error.message}`;
  at("progress").value = 0;
}

let model = null, built = null; // kept from picture to picture: only the inputs differ

async function draw(gpu) {
  const given = Object.fromEntries(new FormData(form)), { lanes, subgroups, features } = gpu;
  tell("Exporting the graph");
  const plan = await (await fetched("/draw", { class: Number(given.class), seed: Number(given.seed), lanes, subgroups, features })).json();
  model ??= load(gpu, { kernel, weight });
  return guarded(gpu, async () => {
    built ??= await build(model, plan.program, new Map(), [], tell);
    tell("Drawing");
    const started = performance.now();
    write(gpu, built, plan.inputs);
    const [words] = await submit(gpu, built.dispatches.flat(), built.reads);
    const seconds = (performance.now() - started) / 1000, digest = await sha256([words]);
    const pixels = grey(new Int32Array(words));
    show(pixels, plan.size);
    const texts = { model: plan.model, class: given.class, seed: given.seed, arithmetic: "exact", digest };
    const file = await png(pixels, plan.size, texts);
    if (at("save").href) URL.revokeObjectURL(at("save").href);
    at("save").href = URL.createObjectURL(new Blob([file], { type: "image/png" }));
    at("save").download = `terrain-${given.class}-${given.seed}.png`;
    at("save").hidden = false;
    at("time").textContent = `${seconds.toFixed(2)} seconds`;
    at("digest").textContent = digest;
    tell("Done", 1);
    return { page: "picture", adapter: gpu.name, digest, seconds, png: btoa(String.fromCharCode(...file)) };
  });
}

// Heights in grey, the lowest black and the highest white.
function grey(words) {
  const metres = Array.from(words, (word) => {
    const unit = Math.min(Math.max((Math.fround(word / 2 ** 24) + 1) / 2, 0), 1);
    return LINEAR * Math.sinh(unit * Math.asinh(RANGE / LINEAR));
  });
  const low = Math.min(...metres), span = Math.max(Math.max(...metres) - low, 1e-9);
  return Uint8Array.from(metres, (height) => Math.round(((height - low) / span) * 255));
}

function show(pixels, [height, width]) {
  const canvas = at("canvas"), image = new ImageData(width, height);
  [canvas.width, canvas.height] = [width, height];
  pixels.forEach((pixel, index) => image.data.set([pixel, pixel, pixel, 255], 4 * index));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

async function attempt(work) {
  button.disabled = true;
  try {
    await fetched("/results", await work());
  } catch (error) {
    refuse(error);
    await fetched("/results", { page: "picture", error: at("status").textContent }).catch(() => {});
  }
  button.disabled = false;
}

for (const [name, value] of asked) if (form.elements[name]) form.elements[name].value = value;
try {
  const gpu = await open();
  await measureSubgroups(gpu, kernel);
  at("adapter").textContent = `${gpu.name}, workgroups of ${gpu.lanes}`;
  tell("Ready");
  button.disabled = false;
  form.addEventListener("submit", (event) => { event.preventDefault(); attempt(() => draw(gpu)); });
  if (asked.has("run")) form.requestSubmit();
} catch (error) {
  refuse(error);
  await fetched("/results", { page: "picture", error: at("status").textContent }).catch(() => {});
}
