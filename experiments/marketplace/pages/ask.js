// The page that asks: an estimate before posting, an answer that streams and is not final until it is.

import { connect, here } from "./connection.js";
import { at, element, micro, seconds, short, shown, tag, tokens } from "./elements.js";
import { key, save } from "./keys.js";
import { after, open, posted, said } from "./orders.js";
import { hex, sha256 } from "../../../verification/encoding/canonical.js";
import { base64, binary, littleEndian } from "../../../verification/encoding/schema.js";
import { Refusal } from "../../../verification/errors.js";

const KEPT = "orders"; // in this browser's storage: which orders are this page's, and their prompts
const PAUSE = 300; // milliseconds after the last key before an estimate is asked for
const ANEW = 5000; // milliseconds after which one is asked for anew while somebody looks: devices come and go
const OVER = ["served", "withdrawn", "expired"];
const LEADS = { waiting: "Waiting", streaming: "Not final", delivered: "Not final", shown: "Not final", served: "Final" };

const form = at("form"), orders = new Map(kept().map((order) => [order.name, order]));
let tick = 0, since = performance.now(), every = 1, models = [], pending = null, asked = 0, quotes = 0, standing = false;

const owner = await key("owner");
at("key").textContent = owner.party.slice(0, 16);
let turn = Promise.resolve(); // one after the other: what is shown of an output says what the next message is about
const market = connect({ url: here(), role: "user", owner, told: (message) => { turn = turn.then(() => told(message)).catch(failed); } });

async function told(message) {
  if (message.type === "disconnected") {
    at("status").className = "status bad";
    return shown(at("status"), element("i", { class: "dot bad" }), "The market does not answer; trying again. What you posted is kept there.");
  }
  if (message.type === "welcome") return welcome(message);
  if (message.type === "account") return account(message);
  // Results are shown by lease to everybody; which of them are one's own, the outputs told.
  const own = message.order ? orders.get(message.order) : [...orders.values()].find(({ lease }) => lease && lease === message.lease);
  if (!own) return;
  if (message.type === "output") message = { ...message, ...(await read(own.model, message.output)) };
  keep(after(orders.get(own.name), message));
}

async function welcome({ tick: now, seconds_per_tick, models: offered, registered }) {
  [tick, since, every] = [now, performance.now(), seconds_per_tick];
  models = offered;
  if (!form.model.options.length) for (const { name } of models) form.model.add(new Option(name));
  at("status").className = "status";
  shown(at("status"), element("i", { class: "dot live" }), "Connected. Nothing is computed before you post.");
  if (!registered) {
    await market.ask("register", owner, {});
    await market.answer({ type: "fund", owner: owner.party }).catch(() => {}); // a market need not have a faucet
  }
  at("post").disabled = !models.length;
  estimate();
  draw();
  for (const order of orders.values()) again(order);
}

// Posts what is not over once more: made twice it is one order, of which one is told what one missed.
function again({ name, state, posted }) {
  if (OVER.includes(state) || posted?.market !== market.market()) return;
  const blobs = Object.fromEntries(Object.entries(posted.blobs).map(([digest, raw]) => [digest, binary(raw)]));
  market.ask("order", owner, posted.content, blobs).catch((refusal) => keep({ ...orders.get(name), refused: refusal.message }));
}

const clock = () => tick + Math.floor((performance.now() - since) / 1000 / every);

function account({ free, held }) {
  const tile = (value, said) => element("li", {}, element("b", {}, tokens(value)), element("small", {}, said));
  shown(at("account"), tile(free, "tokens to spend"), tile(held, "held for what you asked or challenged"));
}

// The request of the form: {requests, bid, patience, blobs, model, prompt}, or a Refusal.
async function written() {
  const fields = Object.fromEntries(new FormData(form)), bid = micro(fields.bid);
  if (!fields.prompt) throw new Refusal("empty", "Write a prompt.");
  if (!bid) throw new Refusal("bid", "A bid is an amount of tokens, as 5 or 0.25.");
  const found = await posting(`/models/${encodeURIComponent(fields.model)}/tokens`, { utf8: base64(new TextEncoder().encode(fields.prompt)) });
  const raw = littleEndian(found.tokens), input = hex(await sha256(raw));
  const { digest } = models.find(({ name }) => name === fields.model);
  const temperature = Math.round(1_000_000 * Number(fields.temperature));
  const among = temperature && fields.top_k ? { top_k: Number(fields.top_k) } : {}, share = Math.round(1_000_000 * Number(fields.top_p || 1));
  if (temperature && share < 1_000_000) among.top_p = share;
  const requests = [{ model: digest, input, limit: Number(fields.limit), temperature, seed: String(BigInt(fields.seed || 0)), ...among }];
  const patience = Math.ceil((60 * Number(fields.patience)) / every);
  return { requests, bid: bid.toString(), patience, blobs: { [input]: raw }, model: fields.model, prompt: fields.prompt };
}

async function estimate() {
  const mine = ++asked;
  standing = false;
  at("noise").hidden = form.model.value !== "tiny";
  try {
    if (!form.checkValidity()) throw new Refusal("invalid", "Something in the form is not filled in rightly yet.");
    const { requests, bid, blobs } = await written();
    const inputs = Object.fromEntries(Object.entries(blobs).map(([digest, raw]) => [digest, base64(raw)]));
    const quote = await market.answer({ type: "estimate", requests, bid, inputs });
    if (mine === asked) quoted(quote);
  } catch ({ message }) {
    if (mine === asked) quoted({ price: null, reason: message });
  }
  quotes = Math.max(quotes, mine);
}

function quoted({ price, wait, devices, reason, bid }) {
  at("estimate").className = `estimate ${price === null && !devices ? "bad" : ""}`;
  const could = devices ? `${devices} ${devices === 1 ? "device" : "devices"} can run it` : "";
  const round = devices ? `the next round is in ${seconds(wait * every)}` : "";
  if (price !== null) return shown(at("estimate"), element("b", {}, `About ${tokens(price)} tokens`), ` as things stand; ${could}, ${round}.`, reason ? ` But ${reason}.` : "");
  const more = bid ? element("button", { type: "button", class: "small", onclick: () => raise(bid) }, `Bid ${tokens(bid)}, which would win`) : null;
  shown(at("estimate"), element("b", {}, devices === undefined ? "It cannot be posted so. " : "It would wait. "), capital(reason || "no device can run it"), could && `${capital(`${could}, ${round}`)}`, more);
  if (more) at("estimate").querySelector("button").onclick = () => raise(bid);
}

const capital = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."} `;

function raise(bid) {
  form.bid.value = tokens(bid).replaceAll(",", "");
  estimate();
}

async function post() {
  at("post").disabled = true;
  try {
    const { requests, bid, patience, blobs, model, prompt } = await written();
    const nonce = hex(crypto.getRandomValues(new Uint8Array(32)));
    const content = { requests, bid, patience, nonce, unaudited: false };
    const { name } = await market.ask("order", owner, content, blobs);
    const kept = Object.fromEntries(Object.entries(blobs).map(([digest, raw]) => [digest, base64(raw)]));
    keep({ ...posted({ name, model, prompt, bid, at: Date.now() }), posted: { market: market.market(), content, blobs: kept } });
  } catch ({ message }) {
    standing = true; // what is said now, until the form is changed
    quoted({ price: null, reason: message });
  }
  at("post").disabled = false;
}

async function act(order, kind, content, message) {
  try {
    await market.ask(kind, owner, content);
    if (message) keep(after(orders.get(order.name), message));
  } catch (refusal) {
    keep({ ...orders.get(order.name), refused: refusal.message });
  }
}

function keep(order) {
  orders.set(order.name, order);
  localStorage.setItem(KEPT, JSON.stringify([...orders.values()].slice(-50)));
  draw();
}

function kept() {
  return JSON.parse(localStorage.getItem(KEPT) ?? "[]");
}

function draw() {
  const list = [...orders.values()].sort((left, right) => right.at - left.at);
  const empty = element("li", {}, element("p", { class: "empty" }, "What you ask stands here, as it is computed, checked, and final."));
  shown(at("answers"), list.length ? list.map(answer) : empty);
  // Buttons that were left as they were have the handlers of the order as it was then: which they name, not hold.
  for (const button of at("answers").querySelectorAll("button")) button.onclick = () => pressed(button.dataset.act, orders.get(button.dataset.order));
}

function pressed(what, order) {
  if (what === "cancel") act(order, "cancel", { order: order.name });
  else act(order, "challenge", { lease: order.lease }, { type: "challenged" });
}

function answer(order) {
  const [sentence, kind] = said(order), final = order.state === "served";
  const button = (what, text) => element("button", { class: "small", type: "button", "data-act": what, "data-order": order.name }, text);
  const twice = order.price && (2n * BigInt(order.price)).toString();
  return element("li", { id: `order-${order.name.slice(0, 16)}`, "data-state": order.state },
    element("div", { class: "title" }, element("span", {}, tag(LEADS[order.state] ?? order.state, kind), " ", order.model, " · bid ", tokens(order.bid)),
      element("span", { class: "mono soft", title: order.name }, short(order.name))),
    element("div", { class: "prompt" }, order.prompt),
    order.struck.map(({ text, why }) => element("div", { class: "stream struck" }, element("s", {}, text.trimStart() || "(nothing was shown)"), ` Struck: ${why}.`)),
    order.text ? element("div", { class: `stream ${final ? "final" : ""}`, "aria-live": final ? null : "polite" }, order.text.trimStart()) : null,
    element("p", { class: "soft" }, sentence, until(order), order.state === "waiting" && order.needed ? ` A bid of ${tokens(order.needed)} would have won.` : "",
      final && order.paid ? ` You paid ${tokens(order.paid)}.` : ""),
    final && order.root ? element("dl", {}, element("dt", {}, "Lease"), element("dd", { class: "mono" }, short(order.lease)),
      element("dt", {}, "Root"), element("dd", { class: "mono" }, order.root.slice(0, 32))) : null,
    order.refused ? element("p", { class: "bad" }, order.refused) : null,
    element("div", { class: "actions" },
      order.state === "waiting" ? button("cancel", "Withdraw") : null,
      open(order, clock()) ? button("challenge", `Challenge: audit it for ${tokens(twice)}`) : null));
}

// When an order that is shown becomes final, kept up to date second by second.
function until({ state, window, challenged }) {
  return state === "shown" ? element("span", { "data-until": window, "data-challenged": Boolean(challenged) }, left(window, challenged)) : null;
}

function left(window, challenged) {
  const wait = seconds((window - clock()) * every);
  return window <= clock() ? "" : challenged ? ` It is final in ${wait} at the earliest.` : ` If nobody does, it is final in ${wait}.`;
}

// The tokens of an output, -1 where the run had ended before, and their text.
async function read(model, output) {
  const raw = Uint8Array.from(atob(output), (letter) => letter.charCodeAt(0)), view = new DataView(raw.buffer);
  const words = Array.from({ length: raw.length / 4 }, (_, index) => view.getInt32(4 * index, true)).filter((word) => word >= 0);
  return { tokens: words, text: (await posting(`/models/${encodeURIComponent(model)}/text`, { tokens: words })).text };
}

async function posting(path, body) {
  const response = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  const found = await response.json();
  if (!response.ok) throw new Refusal("refused", found.error);
  return found;
}

function failed(error) {
  at("status").className = "status bad";
  shown(at("status"), element("i", { class: "dot bad" }), error instanceof Refusal ? error.message : `Something failed: ${error.message}`);
}

at("save").addEventListener("click", () => save("owner").catch(failed));
form.addEventListener("submit", (event) => { event.preventDefault(); post(); });
setInterval(() => { for (const each of at("answers").querySelectorAll("[data-until]")) each.textContent = left(Number(each.dataset.until), "challenged" in each.dataset); }, 1000);
setInterval(() => { if (!document.hidden && models.length && quotes === asked && !standing) estimate(); }, ANEW);
form.addEventListener("input", () => { clearTimeout(pending); pending = setTimeout(estimate, PAUSE); });
draw();
