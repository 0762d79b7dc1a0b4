// What an honest party answers in a dispute, from its own trace, as party.py; and where the messages that the referee
// took lead to. What they must hold, the referee has checked; a party checks that they follow one another, signed.

import { hex } from "../encoding/canonical.js";
import { opened, request } from "../encoding/request.js";
import { proofText, wordsText } from "../encoding/schema.js";
import { Refusal } from "../errors.js";
import { parts, path, subtree, tree } from "../merkle.js";
import { derivation, leafOf, leaves, resultDigests, treeOf } from "../trace.js";

// Where a dispute stands: `begin` and each record are envelopes' bytes, entries are {record, message}, message the bytes
// of what a party said or null; as of one trace or another of the computation.
export async function followed(market, begin, entries, computation) {
  const { content, name, party: referee } = await opened(begin, market);
  let state = await settled(computation, {
    market, stage: "descend-nodes", index: 1, previous: name, levels: content.rules.levels, asserter: content.asserter,
    challenger: content.challenger, span: [0, computation.nodes.length], digests: content.roots, said: undefined,
    node: null, leaf: null, step: null, leafDigests: null, stepRoots: null, verdict: null,
  });
  for (const { record, message } of entries) state = await after(computation, state, referee, record, message);
  return state;
}

async function after(computation, state, referee, record, message) {
  const { kind, party, content } = await opened(record, state.market);
  if (kind !== "record" || party !== referee) throw new Refusal("other-referee", "a record is not the referee's");
  const { event, asserter, verdict } = content;
  if (event === "message") state = await taken(computation, state, await opened(message, state.market));
  if (event === "deputy") {
    const again = state.stepRoots && { stage: "steps", digests: state.leafDigests, step: null, stepRoots: null };
    state = { ...state, ...again };
  }
  return { ...state, asserter, verdict };
}

// The state after a message that the referee took.
async function taken(computation, state, { kind, party, content, name }) {
  if (content.previous !== state.previous || kind !== state.stage.split("-")[0])
    throw new Refusal("other-dispute", "a message does not follow the last one of this dispute");
  const asserts = party === state.asserter, { said } = state;
  state = { ...state, index: state.index + 1, previous: name };
  if (kind === "guard" || kind === "open") return state; // the referee decides
  const heard = kind === "descend" ? content.digests : content.root;
  if (asserts) return { ...state, said: heard };
  state = { ...state, said: undefined };
  if (kind === "descend") {
    const differs = said.findIndex((digest, at) => digest !== heard[at]);
    const digests = { asserter: said[differs], challenger: heard[differs] };
    return settled(computation, { ...state, span: parts(state.span, state.levels)[differs], digests });
  }
  const roots = { asserter: said, challenger: heard };
  if (kind === "node") {
    if (said === null || heard === null) return { ...state, digests: roots, stage: "guard" };
    const span = [0, leaves(computation.nodes[state.node])];
    return settled(computation, { ...state, digests: roots, stage: "descend-leaves", span });
  }
  const span = [0, (await computation.steps(state.node, state.leaf)).length];
  return settled(computation, { ...state, digests: roots, stepRoots: roots, stage: "descend-steps", span });
}

// Goes on where a descent has ended.
async function settled(computation, state) {
  const [lo, hi] = state.span;
  if (hi - lo > 1) return state;
  if (state.stage === "descend-nodes") return { ...state, stage: "node", node: lo };
  if (state.stage === "descend-steps") return { ...state, stage: "open", step: lo };
  const several = (await computation.steps(state.node, lo)).length > 1;
  return { ...state, leaf: lo, leafDigests: state.digests, ...(several ? { stage: "steps" } : { stage: "open", step: 0 }) };
}

// The message that is due, signed by a private CryptoKey of `party`.
export async function message(key, party, state, trace) {
  const content = { ...(await answer(state, trace)), index: state.index, previous: state.previous };
  return request(key, party, state.stage.split("-")[0], state.market, content);
}

// What a trace answers to the message that is due.
export async function answer(state, trace) {
  const { stage, node, leaf, step } = state, { computation } = trace;
  const below = (levels) => ({ digests: parts(state.span, state.levels).map((span) => hex(subtree(levels, span))) });
  if (stage === "descend-nodes") return below(trace.nodes);
  const levels = await treeOf(trace, node);
  if (stage === "node") return { root: levels && hex(levels.at(-1)[0]) };
  if (stage === "guard") {
    const { guard } = computation.nodes[node];
    return { opening: await openedLeaf(trace, guard, leaves(computation.nodes[guard]) - 1) };
  }
  if (stage === "descend-leaves") return below(levels);
  const results = await derivation(trace, node, leaf), made = await tree(await resultDigests(results));
  if (stage === "steps") return { path: proofText(path(made, results.length - 1)), root: hex(made.at(-1)[0]) };
  if (stage === "descend-steps") return below(made);
  const inputs = [];
  for (const source of (await computation.steps(node, leaf))[step].sources) {
    const derived = !Array.isArray(source);
    inputs.push(derived ? opening(results[source], path(made, source)) : await openedLeaf(trace, ...source));
  }
  return { inputs };
}

// A committed leaf with its proofs.
async function openedLeaf(trace, node, leaf) {
  const levels = await treeOf(trace, node), above = path(trace.nodes, node);
  return levels ? opening(await leafOf(trace, node, leaf), path(levels, leaf), above) : opening(null, [], above);
}

const opening = (words, path, node = []) => ({ node: proofText(node), path: proofText(path), words: words && wordsText(words) });
