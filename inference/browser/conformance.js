// The conformance page: one file with everything inside, so that it runs from a server, a disk or an attachment.
// engine.js stands before this in the same script.

const at = (id) => document.getElementById(id);
const bundle = JSON.parse(at("bundle").textContent);
const kernel = async (path) => bundle.kernels[path];
const weightsOf = (weights) => async (key) => Uint8Array.from(atob(weights[key]), (letter) => letter.charCodeAt(0)).buffer;

function tell(what, done, all) {
  at("status").textContent = what;
  [at("progress").value, at("progress").max] = [done, all];
}

function row(table, cells, same) {
  const row = at(table).tBodies[0].insertRow();
  for (const value of cells) {
    const cell = row.insertCell();
    cell.textContent = value;
    cell.className = typeof value === "number" ? "number" : /^[0-9a-f]{64}$/.test(value) ? "mono" : "";
  }
  const cell = row.insertCell();
  [cell.textContent, cell.className] = same ? ["yes", "good"] : ["no", "bad"];
}

async function check() {
  const gpu = await open();
  at("adapter").textContent = gpu.name;
  at("browser").textContent = navigator.userAgent;
  tell("Corner cases", 1, 4);
  const found = await compute(gpu, await kernel("conformance.wgsl"), new Int32Array(bundle.operands), bundle.cases.length);
  const failures = [];
  bundle.cases.forEach(([name, wanted], index) => {
    row("cases", [name, wanted, found[index]], found[index] === wanted);
    if (found[index] !== wanted) failures.push(`${name}: ${found[index]}, not ${wanted}`);
  });
  const dot4 = gpu.features.includes("packed_4x8_integer_dot_product"), subgroups = await measureSubgroups(gpu, kernel);
  const variants = ["portable", "processors", ...(dot4 ? ["dot4"] : []), ...(subgroups ? ["subgroups"] : [])];
  const model = load(gpu, { kernel, weight: weightsOf(bundle.weights) }), digests = {};
  for (const [index, variant] of variants.entries()) {
    const told = (what, done, all) => tell(`The model, ${variant} kernels: ${what}, ${done} of ${all}`, index + 2, variants.length + 2);
    digests[variant] = (await generate(model, bundle.runs[variant], { progress: told })).digest;
    row("models", [variant, digests[variant]], digests[variant] === bundle.digest);
  }
  const drawing = load(gpu, { kernel, weight: weightsOf(bundle.picture.weights) }), pictures = {};
  for (const variant of variants) {
    const told = (what, done, all) => tell(`The picture, ${variant} kernels: ${what}`, done, all);
    const built = await build(drawing, bundle.picture.programs[variant], new Map(), [], told);
    write(gpu, built, bundle.picture.inputs);
    pictures[variant] = await sha256(await submit(gpu, built.dispatches.flat(), built.reads));
    row("pictures", [variant, pictures[variant]], pictures[variant] === bundle.picture.digest);
  }
  const same = (found, wanted) => Object.values(found).every((digest) => digest === wanted);
  const agreed = !failures.length && same(digests, bundle.digest) && same(pictures, bundle.picture.digest);
  // Over everything that was found: what two devices have to agree on, in one line.
  const digest = await sha256([found.buffer, new TextEncoder().encode(digests.portable + pictures.portable)]);
  return { agreed, digest, adapter: gpu.name, browser: navigator.userAgent, failures, digests, pictures };
}

let result;
try {
  result = await check();
  tell("Done.", 1, 1);
  at("verdict").textContent = result.agreed ? "This device conforms." : "This device does not conform.";
  at("verdict").className = result.agreed ? "good" : "bad";
  at("digest").textContent = result.digest;
} catch (error) {
  const said = error instanceof Refusal ? error.message : `Something failed: ${error.message}`;
  result = { error: said, browser: navigator.userAgent };
  tell(said, 0, 1);
  at("status").className = "error";
}
at("copy").disabled = false;
at("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(JSON.stringify(result, null, 1));
  at("copy").textContent = "Copied";
});
// Only the server on this machine that the page came from is told.
if (location.hostname === "127.0.0.1") {
  fetch("/results", { method: "POST", body: JSON.stringify({ page: "conformance", ...result }) }).catch(() => {});
}
