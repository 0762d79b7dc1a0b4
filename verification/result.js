// Results as devices sign them, as result.py.

import { hex, sha256 } from "./encoding/canonical.js";
import { request } from "./encoding/request.js";
import { littleEndian, proofText } from "./encoding/schema.js";
import { path } from "./merkle.js";
import { leafOf, leaves, root } from "./trace.js";

// A trace's result on a lease, signed by a private CryptoKey of `provider`, and its output's words: {raw, output}.
export async function signResult(key, provider, market, lease, trace) {
  const { nodes } = trace.computation, last = nodes.length - 1, words = [];
  for (let leaf = 0; leaf < leaves(nodes[last]); leaf++) words.push(...(await leafOf(trace, last, leaf)));
  const output = littleEndian(words), header = { market, lease, root: hex(root(trace)), provider };
  const content = { header, output: hex(await sha256(output)), path: proofText(path(trace.nodes, last)) };
  return { raw: await request(key, provider, "result", market, content), output };
}
