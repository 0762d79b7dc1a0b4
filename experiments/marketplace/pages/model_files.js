// A model's files from the market's server, which is not trusted: what is loaded is held against the digests that stand in
// leases and orders. files.py says where they are.

import { canonical, digest, hex, sha256 } from "../../../verification/encoding/canonical.js";
import { binary, proof } from "../../../verification/encoding/schema.js";
import { Refusal } from "../../../verification/errors.js";
import { matrixShape, opened, provenTile } from "../../../verification/manifest.js";

// The files of a model by its name: `model` is the digest of its manifest, `layouts` that of what is sent besides.
export async function modelFiles(name, model) {
  const at = (path) => `/models/${encodeURIComponent(name)}/${path}`;
  const manifest = opened(await bytes(at("manifest"))), parts = JSON.parse(new TextDecoder().decode(await bytes(at("layouts"))));
  if ((await digest(manifest)) !== model || parts.model !== model)
    throw new Refusal("wrong-manifest", `what is given as ${name} is another model than ${model}`);
  const layouts = await digest(parts), derivations = new Map(), tiles = new Map();

  async function checked(part, path) {
    const raw = await bytes(path);
    if (hex(await sha256(raw)) !== parts.parts[part]) throw new Refusal("wrong-part", `what is given as ${part} of ${name} is not it`);
    return raw;
  }

  async function posted(path, body) {
    const response = await fetch(at(path), { method: "POST", body: canonical(body) });
    const answer = await response.json();
    if (!response.ok) throw new Refusal("refused", answer.error);
    return answer;
  }

  async function tile(constant, index) {
    const response = await fetch(at(`tiles/${encodeURIComponent(constant)}/${index}`));
    if (!response.ok) throw new Refusal("no-such-tile", `there is no tile ${index} of ${constant}`);
    const { numbers, path } = await response.json();
    return provenTile(manifest, constant, index, binary(numbers), proof(path));
  }

  return {
    name, model, layouts,
    kernel: async (path) => new TextDecoder().decode(await checked(`kernels/${path}`, `/kernels/${path}`)),
    weight: async (key) => (await checked(`weights/${key}`, at(`weights/${encodeURIComponent(key)}`))).buffer,
    // A task's run on a device: {lanes, subgroups, features, largest}.
    schedule: (task, device) => posted("schedule", { ...task, ...device }),
    text: async (tokens) => (await posted("text", { tokens })).text,
    // Of a task, the derivation of a leaf.
    steps: (task) => (node, leaf) => remembered(derivations, JSON.stringify([task, node, leaf]), () => posted("steps", { ...task, node, leaf })),
    constants: {
      shape: (constant) => matrixShape(manifest.constants[constant].shape),
      tile: (constant, index) => remembered(tiles, `${index} ${constant}`, () => tile(constant, index)),
    },
  };
}

async function bytes(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Refusal("no-such-file", `the market has no ${path}`);
  return new Uint8Array(await response.arrayBuffer());
}

function remembered(known, key, make) {
  if (!known.has(key)) known.set(key, make());
  return known.get(key);
}
