// A provider in a browser: it joins the market, offers what its device can run, computes its leases, hands in results,
// and stands by them in disputes. It moves on what it is told alone, by the market and by its page.

import { canonical, hex, parsed } from "../../../verification/encoding/canonical.js";
import { base64, binary } from "../../../verification/encoding/schema.js";
import { sign } from "../../../verification/encoding/signature.js";
import { followed, message } from "../../../verification/dispute/party.js";
import { Refusal } from "../../../verification/errors.js";
import { signResult } from "../../../verification/result.js";
import { connect } from "./connection.js";

const EXPIRY = 2 ** 32; // ticks of an offer: it ends with the connection
const BEAT = 250; // milliseconds between two signs of life: a coordinator reads nobody faster than a pace
const DUE = ["offered", "held"]; // states of a lease whose result is due

// `keys` are {owner, device}, each {party, key}; `tell(message)` tells the page, as give.js reads it; `standing` holds the
// runs that the device stands by, by lease.
export function provider({ url, keys, models: chosen, cost, fund = false, cheat = false }, device, tell, standing) {
  const { owner, device: signer } = keys;
  const leases = new Map(), disputes = new Map(), speeds = new Map();
  let models = [], market = "", offered = {}, paused = false, ended = false, removed = false, cheating = cheat;
  const state = (name, sentence) => tell({ type: "state", state: name, sentence });

  const link = connect({ url, role: "device", owner, device: signer, told: (told) => heard(told).catch(failed) });
  state("connecting", "Looking for the market.");

  function failed(error) {
    tell({ type: "error", sentence: error.constructor.name === "Refusal" ? error.message : `Something failed: ${error.message}` });
  }

  async function heard(told) {
    switch (told.type) {
      case "disconnected": return state("connecting", `The market does not answer; trying again in ${told.seconds} s.`);
      case "welcome": return joined(told);
      case "suitable": return suited(told);
      case "lease": return leased(told);
      case "turn": return turned(told);
      case "receipt": return tell({ type: "receipt", lease: told.receipt.content.lease, tick: told.receipt.content.tick });
      case "final": return over(told);
      case "refused": return tell({ type: "error", sentence: told.sentence });
    }
  }

  async function joined(welcome) {
    models = welcome.models;
    market = link.market();
    const open = welcome.leases ?? []; // what else it knows of was over while the market did not answer
    for (const lease of [...leases.keys(), ...standing.keys()]) if (!open.includes(lease)) forget(lease);
    disputes.clear(); // it is told of them anew
    state("preflight", "Asking what this device can hold.");
    if (!welcome.registered) await register();
    if (Object.keys(offered).length) await offer();
    const { name, limits, device: { features } } = await device.adapter();
    link.send({ type: "preflight", adapter: name, memory: limits.maxBufferSize, limits, features: [...features], requests: 1 });
  }

  async function register() {
    await known("register", owner, {});
    if (fund) await link.answer({ type: "fund", owner: owner.party });
    const consent = await sign(signer.key, "device", market, { owner: owner.party });
    await known("device", owner, { device: signer.party, consent });
  }

  // Asks for what may have been done before.
  async function known(kind, by, content) {
    await link.ask(kind, by, content).catch((error) => { if (error.reason !== "known-key") throw error; });
  }

  // Measures what fits, says how fast it was, and offers what the market then reckons that a round has room for.
  async function suited({ fits, reasons = {} }) {
    tell({ type: "models", models: models.map(({ name }) => ({ name, fits: name in fits, why: reasons[name] ?? "" })) });
    const fitting = models.filter(({ name }) => name in fits && chosen.includes(name));
    if (!fitting.length) return state("refused", Object.values(reasons)[0] ?? "No model was chosen that this device can run.");
    const news = fitting.filter(({ digest }) => !speeds.has(digest));
    for (const { digest } of news) speeds.set(digest, null);
    for (const { name, digest } of news) {
      state("benchmark", `Measuring ${name} on this device.`);
      const measured = await device.measure(name, digest);
      speeds.set(digest, measured);
      tell({ type: "benchmark", model: name, ...measured });
      link.send({ type: "benchmark", model: name, ...measured });
    }
    if (news.length) return;
    const ready = fitting.filter(({ name, digest }) => speeds.get(digest) && fits[name]);
    const next = Object.fromEntries(ready.map(({ name, digest }) => [digest, fits[name]]));
    if (JSON.stringify(next) === JSON.stringify(offered)) return;
    offered = next;
    await offer();
  }

  async function offer() {
    await link.ask("offer", signer, offering());
    idle();
  }

  function offering() {
    const models = paused || ended ? [] : Object.entries(offered).map(([model, s]) => ({ model, s }));
    return { models, slots: 1, cost, expiry: EXPIRY, nonce: hex(crypto.getRandomValues(new Uint8Array(32))) };
  }

  function idle() {
    if (ended) return;
    if (removed) state("removed", "A result of this device was found wrong: its key was removed for good, and it is given no more jobs.");
    else if (paused) state("paused", "Takes no new jobs.");
    else if (![...leases.values()].some(({ working }) => working)) state("waiting", "Waiting for jobs.");
  }

  async function leased(told) {
    const { lease } = told, before = leases.get(lease), held = Object.assign(before ?? {}, told);
    leases.set(lease, held);
    if (told.state === "offered" && !before) return answered(held);
    if (told.state === "held" && standing.has(lease)) return send(lease);
    if (told.state !== "offered" && !held.working && !standing.has(lease)) await work(held);
  }

  async function answered(held) {
    const { lease, requests, price, stake, limit, due } = held, model = models.find(({ digest }) => digest === requests[0].model);
    tell({ type: "lease", lease, model: model?.name ?? "", price, stake, limit, due });
    const why = await unwanted(held, model);
    if (why) {
      tell({ type: "declined", lease, why });
      return link.ask("decline", signer, { lease });
    }
    try {
      await link.ask("accept", signer, { lease });
    } catch (error) {
      tell({ type: "declined", lease, why: error.message });
      if (error.reason === "beyond-free") await link.ask("decline", signer, { lease });
      return null;
    }
    tell({ type: "accepted", lease });
    return work(held);
  }

  async function unwanted({ requests, price, layouts }, model) {
    if (paused || ended) return "no new jobs are taken";
    if (requests.length > 1) return "one request at a time is computed here";
    if (!model || !(model.digest in offered)) return "the model was not offered";
    if (BigInt(price) < BigInt(cost)) return "it pays less than it costs";
    const files = await device.files(model.name, model.digest);
    return files.layouts === layouts ? "" : "the kernels or weights are not those that the lease names";
  }

  // Computes a lease, tells how far it is, and hands in what came of it.
  async function work(held) {
    const { lease, requests: [request], inputs } = held, { name, digest } = models.find((model) => model.digest === request.model);
    held.working = true;
    leases.set(lease, held);
    const raw = binary(inputs[request.input]), prompt = [...new Int32Array(raw.buffer, 0, raw.length / 4)];
    const { model, input, temperature: millionths, ...asked } = request, task = { prompt, millionths, ...asked };
    const files = await device.files(name, digest), tokens = [], flips = cheating;
    state("working", `Computing ${name}.`);
    let text = "", told = 0, telling = null, beat = -Infinity;
    const going = () => { if (leases.get(lease) !== held) throw new Refusal("over", "the lease is over"); };
    const progress = (what, done, all) => {
      going();
      const share = what === "running" ? done / all : 0;
      if (performance.now() - beat > BEAT) {
        beat = performance.now();
        link.send({ type: "heart", leases: { [lease]: share } });
      }
      tell({ type: "progress", lease, share });
    };
    // Tokens that come while the text of those before is awaited are told together.
    const tellings = async () => {
      while (told < tokens.length) {
        const until = [...tokens], all = await files.text(until), more = all.startsWith(text) ? all.slice(text.length) : "";
        link.send({ type: "tokens", lease, request: 0, tokens: until.slice(told), text: more });
        for (let at = told; at < until.length; at++) tell({ type: "token", lease, index: at, token: until[at], text: at === told ? more : "" });
        [text, told] = [all, until.length];
      }
    };
    const token = (id) => {
      tokens.push(id);
      telling ??= tellings().catch(() => {}).finally(() => { telling = null; });
    };
    try {
      const made = await device.run(name, digest, task, { cheat: flips, told: { progress, token } });
      if (made.trace.computation.nodes.length !== held.nodes) throw new Refusal("other-schedule", "the schedule is not the lease's");
      await telling;
      going();
      standing.set(lease, { made, name, digest, task, cheat: flips });
      if (DUE.includes(held.state)) await send(lease);
      for (const claim of disputes.keys()) link.send({ type: "transcript", claim });
    } catch (error) {
      if (leases.get(lease) === held) await (DUE.includes(held.state) ? handedBack(lease, error.message) : failed(error));
    }
    held.working = false;
    idle();
  }

  async function send(lease) {
    const { made } = standing.get(lease), { nodes, digests } = made.trace;
    const { raw, output } = await signResult(signer.key, signer.party, market, lease, made.trace);
    const { content } = parsed(raw);
    const leaves = digests.reduce((sum, each) => sum + each.length, 0);
    tell({ type: "result", lease, root: hex(made.root), seconds: made.seconds, commit_seconds: made.commit, nodes: nodes[0].length, leaves });
    await link.asks(raw, { [content.output]: output });
  }

  async function handedBack(lease, why) {
    leases.delete(lease);
    tell({ type: "returned", lease, why });
    await link.say("return", signer, { lease });
  }

  function forget(lease) {
    leases.delete(lease);
    standing.delete(lease);
  }

  function over({ lease, outcome, paid }) {
    forget(lease);
    removed ||= outcome === "fallen";
    tell({ type: "final", lease, outcome, paid });
    idle();
  }

  // A dispute of this device's has gone on; where its answer is due, it answers by the trace that it stands by.
  async function turned({ claim, role, begin, since, entries, verdict = null }) {
    if (verdict) {
      disputes.delete(claim);
      tell({ type: "verdict", claim, ...verdict });
      return idle();
    }
    const known = since ? disputes.get(claim) ?? [] : [];
    if (known.length < since) return link.send({ type: "transcript", claim });
    const all = [...known.slice(0, since), ...entries];
    disputes.set(claim, all);
    const side = begin.content.challenger === signer.party ? "challenger" : "asserter";
    const held = [...standing.values()].find(({ made }) => hex(made.root) === begin.content.roots[side]);
    if (!role || !held) return null;
    state("disputing", `Answering as ${role}.`);
    const read = all.map(({ record, message: said }) => ({ record: canonical(record), message: said && binary(said) }));
    return device.reading(held, async (trace) => {
      const at = await followed(market, canonical(begin), read, trace.computation);
      const raw = await message(signer.key, signer.party, at, trace);
      link.send({ type: "play", claim, raw: base64(raw) });
      const { node, leaf, step, index, stage } = at;
      tell({ type: "dispute", claim, role, kind: stage.split("-")[0], index, node, leaf, step });
    });
  }

  return {
    cheat(on) { cheating = on; },
    async pause(yes) {
      paused = yes;
      await offer();
    },
    // Leases go back and the connection ends; with `forGood` the offer too.
    async leave(why, forGood) {
      ended = true;
      const due = [...leases.values()].filter(({ lease, state: at }) => DUE.includes(at) && !standing.has(lease));
      await Promise.all(due.map(({ lease }) => handedBack(lease, why)));
      if (forGood && Object.keys(offered).length) await link.say("offer", signer, offering());
      link.close();
    },
  };
}
