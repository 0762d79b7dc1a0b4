// The page that runs a prompt. The address may say what to run at once: /?model=tiny&prompt=Hello&limit=8&run
import { Refusal, generate, load, measureSubgroups, open } from "/engine.js";
import { kept, tune } from "/tune.js";

const form = document.querySelector("form"), button = form.querySelector("button");
const at = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const models = new Map();

async function fetched(path, body) {
  const response = await fetch(path, body && { method: "POST", body: JSON.stringify(body) }).catch(() => null);
  if (!response) throw new Refusal("The server does not answer; is python -m inference serve still running?");
  if (!response.ok) throw new Refusal(sentence((await response.json()).error));
  return response;
}

const sentence = (line) => line[0].toUpperCase() + line.slice(1) + (line.endsWith(".") ? "" : ".");
const kernel = async (path) => (await fetched(`/kernels/${path}`)).text();
const weight = (place) => async (key) => (await fetched(`/weights/${place}/${encodeURIComponent(key)}`)).arrayBuffer();

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

let said = []; // what a conversation has so far: [{role, content}]

async function run(gpu) {
  const { model, arithmetic, prompt, limit, temperature, seed, top_k, top_p, stop, as } = Object.fromEntries(new FormData(form));
  tell("Exporting the graph");
  const place = `${encodeURIComponent(model)}/${arithmetic}`, { lanes, subgroups, features } = gpu;
  const asked = { model, arithmetic, limit: Number(limit), temperature: Number(temperature), seed: Number(seed) };
  for (const [name, value] of Object.entries({ top_k, top_p })) if (value && asked.temperature) asked[name] = Number(value);
  const messages = as === "chat" ? [...said, { role: "user", content: prompt }] : undefined;
  const plan = await (await fetched("/run", { ...asked, prompt, messages, lanes, subgroups, features, choices: kept(gpu) })).json();
  if (!models.has(place)) models.set(place, load(gpu, { kernel, weight: weight(place) }));
  const rows = at("tokens").tBodies[0], ids = [];
  rows.replaceChildren();
  show(messages ?? [{ role: "user", content: prompt }], messages ? "\n" : "");
  for (const id of ["prefill", "decode", "digest"]) at(id).textContent = "–";

  let text = "", last = "";
  const token = async (id, index, digest) => {
    ids.push(id);
    ({ text, last } = await (await fetched("/text", { model, tokens: ids })).json());
    const end = stop ? text.indexOf(stop) : -1;
    if (end >= 0) text = text.slice(0, end);
    at("text").lastChild.textContent = text;
    const row = rows.insertRow();
    [index + 1, id, JSON.stringify(last), digest.slice(0, 16)].forEach((value, column) => {
      const cell = row.insertCell();
      cell.textContent = value;
      cell.className = column < 2 ? "number" : "mono";
    });
    at("tokens").hidden = false;
    return end >= 0;
  };
  const result = await generate(models.get(place), plan, { progress: tell, token });
  at("prefill").textContent = `${plan.tokens} tokens, ${result.prefill.toFixed(1)} a second`;
  at("decode").textContent = `${ids.length} tokens` + (result.decode ? `, ${result.decode.toFixed(1)} a second` : "");
  at("digest").textContent = result.digest;
  tell("Done", 1);
  if (messages) {
    said = [...messages, { role: "assistant", content: text }];
    form.elements.prompt.value = "";
  }
  at("anew").hidden = !said.length;
  return { page: "run", model, arithmetic, adapter: gpu.name, text, ...result };
}

// Messages, answers in bold, and room for the next answer.
function show(messages, between) {
  const parts = messages.map(({ role, content }) => (role === "user" ? content + between : bold(content + "\n\n")));
  at("text").replaceChildren(...parts, bold(""));
}

function bold(text) {
  const element = document.createElement("b");
  element.textContent = text;
  return element;
}

// The address may say how many cases: /?tune=2
async function tuning(gpu) {
  const choices = await tune(gpu, { fetched, kernel, tell, first: Number(asked.get("tune") ?? Infinity) });
  tell("The fastest kernels are kept for this adapter", 1);
  return { page: "tune", adapter: gpu.name, choices };
}

function anew() {
  said = [];
  at("text").replaceChildren();
  at("anew").hidden = true;
}

async function attempt(work) {
  button.disabled = at("tune").disabled = true;
  try {
    await fetched("/results", await work());
  } catch (error) {
    refuse(error);
    await fetched("/results", { page: "run", error: at("status").textContent }).catch(() => {});
  }
  button.disabled = at("tune").disabled = false;
}

for (const name of await (await fetched("/models")).json()) form.elements.model.add(new Option(name));
for (const [name, value] of asked) if (form.elements[name]) form.elements[name].value = value;
try {
  const gpu = await open();
  await measureSubgroups(gpu, kernel);
  const { lanes, subgroups, name } = gpu;
  at("adapter").textContent = `${name}, workgroups of ${lanes}` + (subgroups ? ", subgroup kernels" : "");
  tell("Ready");
  button.disabled = at("tune").disabled = false;
  at("tune").addEventListener("click", () => attempt(() => tuning(gpu)));
  at("anew").addEventListener("click", anew);
  form.elements.model.addEventListener("change", anew);
  form.addEventListener("submit", (event) => { event.preventDefault(); attempt(() => run(gpu)); });
  if (asked.has("tune")) await attempt(() => tuning(gpu));
  if (asked.has("run")) form.requestSubmit();
} catch (error) {
  refuse(error);
  await fetched("/results", { page: "run", error: at("status").textContent }).catch(() => {});
}
