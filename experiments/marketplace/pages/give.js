// The page that gives compute: it shows what its worker does, and says what the worker shall do.

import { connect, here } from "./connection.js";
import { at, bar, bytes, element, many, micro, rate, row, short, shown, tag, tokens } from "./elements.js";
import { after, empty, summed } from "./jobs.js";
import { forget, save } from "./keys.js";

const WORKER = "/js/experiments/marketplace/pages/provider_worker.js";
const LIVE = ["waiting", "working", "disputing"];
const KINDS = { final: "good", fallen: "bad", missed: "bad", held: "warn", returned: "open", declined: "open" };
const SAID = { offered: "offered", held: "computing", sent: "sent", received: "in time, open to checks", final: "final and paid", fallen: "found wrong" };
const HEADINGS = ["Job", "Model", "State", "Progress", "Took", "Price", "Stake"];
// Why a dispute ended so, where it was not one side's message that was refused.
const REASONS = {
  "step-right": "the disputed step, computed again, is right",
  "step-wrong": "the disputed step, computed again, is wrong",
  "null-right": "whether the node was to be run was said rightly",
  "null-wrong": "whether the node was to be run was said wrongly",
  silent: "the other did not answer in time",
};
const KEPT = 100; // lines of the log

const form = at("form"), asked = new URLSearchParams(location.search), slot = Number(asked.get("slot") ?? 0);
let worker = null, work = empty(), models = [], rates = {}, drawing = false;

// Which models there are is the market's to say; whether they fit stands here before anything is joined. How fast they run
// is measured then.
async function preflight() {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
  const { description, vendor, architecture } = adapter?.info ?? {};
  at("adapter").textContent = adapter
    ? `${[vendor, architecture, description].filter(Boolean).join(" ")}; a buffer may have ${bytes(adapter.limits.maxBufferSize)}.`
    : "This browser offers no WebGPU adapter, so it can compute nothing here.";
  const market = connect({ url: here(), role: "watch", told: ({ type, models: offered }) => {
    if (type === "disconnected") status("The market does not answer; trying again.", "bad");
    if (type !== "welcome") return;
    market.close();
    const held = adapter?.limits.maxBufferSize ?? 0, why = adapter ? `a buffer of this device has ${bytes(held)}` : "there is no adapter";
    models = offered.map(({ name, bytes: size, macs }) => ({ name, size, macs, fits: size <= held, why: size <= held ? "" : why }));
    const ready = models.some(({ fits }) => fits);
    at("start").disabled = !ready;
    status(ready ? "Ready to join." : "Nothing to join with.", ready ? "" : "bad");
    draw();
    if (adapter && asked.has("start")) form.requestSubmit();
  } });
}

function begin() {
  at("anew").hidden = true;
  const chosen = [...form.querySelectorAll("[name=model]:checked")].map(({ value }) => value);
  const cost = micro(form.cost.value);
  if (!chosen.length || cost === null) return status("Choose a model and a cost.", "bad");
  worker = new Worker(WORKER, { type: "module" });
  worker.onmessage = ({ data }) => told(data);
  worker.onerror = ({ message }) => told({ type: "error", sentence: `The worker failed: ${message}` });
  worker.postMessage({ type: "start", url: here(), models: chosen, cost: cost.toString(), slot, cheat: at("cheat").checked, fund: true });
  running(true);
}

function running(yes) {
  at("start").hidden = yes;
  at("pause").hidden = at("stop").hidden = !yes;
  for (const field of form.querySelectorAll("input")) field.disabled = yes;
}

function told(message) {
  work = after(work, message);
  switch (message.type) {
    case "state":
      status(message.sentence || message.state, LIVE.includes(message.state) ? "live" : ["lost", "refused", "removed"].includes(message.state) ? "bad" : "");
      at("anew").hidden = message.state !== "removed";
      if (message.state === "stopped") [worker, message] = [worker.terminate(), message];
      if (["stopped", "refused"].includes(message.state)) running(false);
      break;
    case "keys":
      at("keys").textContent = `${message.owner.slice(0, 12)} and ${message.device.slice(0, 12)}`;
      break;
    case "adapter":
      at("adapter").textContent = `${message.name}, workgroups of ${message.lanes}${message.subgroups ? ", subgroup kernels" : ""}.`;
      break;
    case "models":
      models = models.map((model) => ({ ...model, ...message.models.find(({ name }) => name === model.name) }));
      break;
    case "benchmark":
      rates = { ...rates, [message.model]: message };
      break;
    case "error":
      status(message.sentence, "bad");
      break;
  }
  noted(message);
  if (!drawing) {
    drawing = true;
    setTimeout(() => { drawing = false; draw(); }, 100);
  }
}

function status(sentence, kind) {
  at("status").className = `status ${kind === "bad" ? "bad" : ""}`;
  shown(at("status"), element("i", { class: `dot ${kind}` }), sentence);
}

const LINES = {
  state: ({ sentence }) => sentence,
  lease: ({ lease, model, price }) => `A job ${short(lease)} of ${model} for ${tokens(price)}.`,
  declined: ({ lease, why }) => `Declined ${short(lease)}: ${why}.`,
  result: ({ lease, nodes, seconds }) => `Sent ${short(lease)}: ${many(nodes, "node")} committed to, after ${seconds.toFixed(2)} s.`,
  receipt: ({ lease }) => `${short(lease)} came in time; it may be checked now.`,
  final: ({ lease, outcome, paid }) => (outcome === "final" ? `${short(lease)} is final: ${tokens(paid)} earned.` : `${short(lease)}: ${outcome}.`),
  returned: ({ lease, why }) => `Handed back ${short(lease)}: ${why}.`,
  dispute: ({ claim, role, kind }) => `Dispute ${short(claim)}: as ${role}, ${kind}.`,
  verdict: ({ claim, winner, reason }) => `Dispute ${short(claim)} is over: the ${winner === "asserter" ? "provider" : winner} has won: ${REASONS[reason] ?? reason}.`,
  error: ({ sentence }) => sentence,
};

function noted(message) {
  const line = LINES[message.type]?.(message);
  if (!line) return;
  at("log").prepend(element("li", {}, element("time", {}, new Date().toLocaleTimeString("en-GB")), element("span", {}, line)));
  if (at("log").children.length > KEPT) at("log").lastChild.remove();
}

function draw() {
  const { earned, staked, final, running, won, lost } = summed(work);
  const tile = (value, said, kind = null) => element("li", { class: kind }, element("b", {}, String(value)), element("small", {}, said));
  shown(at("earnings"), tile(tokens(earned), "tokens earned", earned ? "good" : null), tile(tokens(staked), "staked now"),
    tile(final, final === 1 ? "job final" : "jobs final"), tile(running, "computing now"), tile(`${won} · ${lost}`, "disputes won · lost", lost ? "bad" : null));
  choices();
  shown(at("checked"), checked());
  const jobs = Object.entries(work.jobs).sort(([, left], [, right]) => right.order - left.order);
  shown(at("jobs"), jobs.length ? element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Jobs" },
    element("table", { class: "stack" }, element("thead", {}, element("tr", {}, HEADINGS.map((name, column) =>
      element("th", { class: column > 3 ? "number" : null }, name)))), element("tbody", {}, jobs.map(([name, job]) => entry(name, job)))))
    : element("p", { class: "empty" }, "None yet: a round is held every few seconds, and gives jobs to whom they cost least."));
}

function choices() {
  const chosen = new Set([...form.querySelectorAll("[name=model]")].filter(({ checked }) => !checked).map(({ value }) => value));
  shown(at("models"), element("legend", {}, "Models"), models.map(({ name, size, fits, why }) => {
    const measured = rates[name], needs = size ? `needs ${bytes(size)}` : "";
    const found = measured ? `${rate(measured.macs_per_second)} multiply-accumulates a second` + (measured.tokens_per_second ? `, ${measured.tokens_per_second.toFixed(1)} tokens a second` : "") : needs;
    const box = { type: "checkbox", name: "model", value: name, checked: fits && !chosen.has(name), disabled: !fits || Boolean(worker) };
    return element("label", { class: "check" }, element("input", box), element("span", {}, name, element("small", {}, fits ? found : `${needs}; ${why}`)),
      tag(fits ? "fits" : "does not fit", fits ? "good" : "bad"));
  }));
}

function checked() {
  const disputes = Object.entries(work.disputes).reverse();
  const audits = Object.values(work.jobs).filter(({ audit }) => audit).length;
  const said = audits ? `${many(audits, "job")} of yours ${audits === 1 ? "was an audit" : "were audits"} of somebody else's result.` : "";
  if (!disputes.length) return [element("p", { class: "soft" }, `${said} Nobody has disputed a result of yours. One in some is drawn and computed again by another; which, nobody knows before.`)];
  return [said && element("p", { class: "soft" }, said), disputes.map(([claim, { role, kind, node, leaf, step, winner, reason, messages }]) => {
    const place = [["node", node], ["leaf", leaf], ["step", step]].filter(([, value]) => value !== undefined).map(([name, value]) => `${name} ${value}`);
    const state = winner ? (winner === role ? "won" : "lost") : "under way";
    return element("article", { class: "dispute" },
      element("p", { class: "title" }, element("span", { class: "mono" }, short(claim)), tag(state, winner ? (winner === role ? "good" : "bad") : "warn")),
      element("dl", {}, element("dt", {}, "As"), element("dd", {}, role === "asserter" ? "provider, whose result is disputed" : "challenger, who found another result"),
        element("dt", {}, "Down to"), element("dd", {}, place.join(", ") || "the whole run"),
        element("dt", {}, "Messages"), element("dd", {}, `${messages} sent${kind ? `, the last: ${kind}` : ""}`),
        winner ? [element("dt", {}, "Because"), element("dd", {}, REASONS[reason] ?? reason)] : null));
  })];
}

function entry(name, job) {
  const took = job.seconds ? `${job.seconds.toFixed(2)} s` + (job.commit_seconds ? `, ${Math.round((100 * job.commit_seconds) / job.seconds)} % to commit` : "") : "";
  const kind = job.state === "final" ? "good" : job.state === "fallen" ? "bad" : "";
  return row([element("span", { class: "mono", title: name }, short(name)), job.model ?? "", tag(SAID[job.state] ?? job.state, KINDS[job.state]),
    bar(job.share, kind, `job ${short(name)}`), took, job.price ? tokens(job.price) : "", job.stake ? tokens(job.stake) : ""], HEADINGS, [4, 5, 6]);
}

form.addEventListener("submit", (event) => { event.preventDefault(); begin(); });
at("stop").addEventListener("click", () => worker?.postMessage({ type: "stop" }));
at("anew").addEventListener("click", async () => {
  worker = worker.terminate() ?? null;
  await forget(`device ${slot}`);
  running(false);
  begin();
});
at("save").addEventListener("click", () => save(`owner ${slot}`).catch(({ message }) => status(message, "bad")));
at("pause").addEventListener("click", () => {
  const paused = at("pause").getAttribute("aria-pressed") === "true";
  worker?.postMessage({ type: paused ? "resume" : "pause" });
  at("pause").setAttribute("aria-pressed", String(!paused));
  at("pause").textContent = paused ? "Take no new jobs" : "Take jobs again";
});
at("cheat").addEventListener("change", ({ target }) => {
  at("demonstration").className = `demonstration ${target.checked ? "on" : ""}`;
  worker?.postMessage({ type: "cheat", on: target.checked });
});
// A tab that is put to sleep hands back what it holds, and goes on when it wakes.
document.addEventListener("freeze", () => worker?.postMessage({ type: "freeze" }));
document.addEventListener("resume", () => worker?.postMessage({ type: "thaw" }));
addEventListener("pagehide", () => worker?.postMessage({ type: "stop" }));
draw();
preflight();
