// The page that shows the whole market, as its board says; it may be read by anybody.

import { certified, counted, empty, latest, standing, updated } from "./board.js";
import { descent, prices, welfare } from "./charts.js";
import { connect, here } from "./connection.js";
import { at, badge, bar, element, many, row, short, shown, tag, tokens } from "./elements.js";

const KINDS = { final: "good", fallen: "bad", disputed: "warn", missed: "bad", served: "good", waiting: "warn" };
const RUNNING = ["offered", "held", "received", "published", "audited", "disputed"];
const BARS = { published: "good", final: "good", audited: "warn", disputed: "warn", fallen: "bad", missed: "bad" };
const ORDERS = 60;

let board = empty(), drawing = false;

function told(message) {
  if (message.type === "board") board = updated(board, message);
  if (message.type === "welcome") at("tick").textContent = many(message.seconds_per_tick, "second");
  if (message.type === "connected") board = empty();
  if (message.type === "disconnected") {
    at("status").className = "status bad";
    shown(at("status"), element("i", { class: "dot bad" }), "The market does not answer; trying again. What is shown is from before.");
    return;
  }
  // Many messages, one drawing; no animation frames, which stand still in a hidden tab and then come all at once.
  if (!drawing) {
    drawing = true;
    setTimeout(() => { drawing = false; draw(); }, 100);
  }
}

function draw() {
  at("status").className = "status";
  shown(at("status"), element("i", { class: "dot live" }), `Live · tick ${(board.tick ?? 0).toLocaleString("en")}`);
  if (board.totals) shown(at("totals"), totals(board.totals));
  shown(at("disputes"), disputes());
  shown(at("devices"), devices());
  rounds();
  shown(at("shares"), shares());
  shown(at("orders"), orders());
  at("head").textContent = board.head ? `${board.head.number}:${board.head.digest}` : "";
  shown(at("events"), latest(board.events, ([number]) => Number(number)).map(([number, { tick, kind, party, digest }]) =>
    row([number, String(tick), kind, mono(party), mono(digest)], ["Event", "Tick", "Kind", "Signed by", "Digest"], [0, 1])));
}

const mono = (name) => element("span", { class: "mono", title: name }, short(name));

function totals({ served, waiting, leased, paid, received, burnt, fund }) {
  const tile = (value, said, kind = null) => element("li", { class: kind }, element("b", {}, value), element("small", {}, said));
  return [
    tile(served.toLocaleString("en"), "orders served", "good"),
    tile(`${leased} · ${waiting}`, "computed now · waiting"),
    tile(tokens(paid), "paid by users"),
    tile(tokens(received), "received by providers"),
    tile(tokens(burnt), "burnt, of stakes and bonds", BigInt(burnt) > 0n ? "bad" : null),
    tile(tokens(fund), "in the fund, for audits"),
  ];
}

function disputes() {
  const found = latest(board.disputes, ([, { messages }]) => messages.at(-1)?.tick ?? 0);
  if (!found.length) return [element("p", { class: "empty" }, "None so far: whoever computed the same has the same digests.")];
  const wide = width("disputes");
  return found.map(([claim, dispute]) => {
    const { lease, asserter, challenger, state, path, messages, winner, clocks, budgets } = dispute;
    const party = (key, role, index) => {
      const turn = state === role, outcome = winner && (winner === role ? "won" : "lost");
      return element("div", { class: outcome || (turn ? "turn" : "") },
        element("b", {}, role === "asserter" ? "Provider " : "Challenger ", mono(key)),
        element("div", { class: "soft" }, outcome ? `has ${outcome}` : turn ? "it is its turn" : "waits",
          budgets[index] && !outcome ? `; ${many(clocks[index], "tick")} left of ${budgets[index]}` : ""));
    };
    const kind = winner === "challenger" ? "bad" : winner === "asserter" ? "good" : "warn";
    const rows = messages.map((each, index) => row([String(index + 1), each.kind, each.by === "asserter" ? "provider" : each.by, String(each.tick),
      each.bytes.toLocaleString("en")], ["Message", "Kind", "By", "Tick", "Bytes"], [0, 3, 4]));
    return element("article", { class: "dispute", id: `dispute-${claim.slice(0, 16)}` },
      element("p", { class: "title" }, "Lease ", mono(lease), tag(standing(dispute), kind)),
      element("div", { class: "parties" }, party(asserter, "asserter", 0), party(challenger, "challenger", 1)),
      path.length ? descent(dispute, wide) : null,
      winner === "challenger" ? element("p", { class: "outcome bad" }, "The provider's stake is divided and burnt, its key removed; the task went back, ranked higher.") : null,
      winner === "asserter" ? element("p", { class: "outcome good" }, "The challenger has lost its bond; the result stands.") : null,
      element("details", { open: unfolded(claim) }, element("summary", { class: "soft" }, many(messages.length, "signed message")),
        element("table", { class: "stack" }, element("thead", {}, element("tr", {},
          ["Message", "Kind", "By", "Tick", "Bytes"].map((name, column) => element("th", { class: [0, 3, 4].includes(column) ? "number" : null }, name)))),
          element("tbody", {}, rows))));
  });
}

// There is room for a picture; a page that was never in sight has no width yet.
const width = (id) => Math.max(240, at(id).clientWidth);

const unfolded = (claim) => Boolean(document.querySelector(`#dispute-${claim.slice(0, 16)} details[open]`));

function devices() {
  const entries = Object.entries(board.devices);
  if (!entries.length) return [element("li", {}, "No device has joined. ", element("a", { href: "/give" }, "Give compute"))];
  const leases = Map.groupBy(latest(board.leases, ([, { since }]) => since), ([, { device }]) => device);
  return entries.map(([key, device]) => {
    const standing = device.removed ? tag("removed for good", "bad") : device.barred ? tag("barred: in dispute", "warn")
      : device.connected ? tag(`${device.busy} of ${device.slots} slots taken`) : tag("away", "open");
    const own = leases.get(key) ?? [], running = own.filter(([, { state }]) => RUNNING.includes(state));
    const listed = [...running, ...own.filter(([, { state }]) => !RUNNING.includes(state))].slice(0, 5);
    const work = listed.map(([name, lease]) => element("li", {}, mono(name),
      bar(done(lease), BARS[lease.state] ?? "", `lease ${short(name)}`), tag(lease.audit ? "audit" : lease.state, KINDS[lease.state])));
    return element("li", { class: device.removed ? "bad" : null },
      element("div", { class: "title" }, element("b", {}, badge(key), mono(key)), standing),
      element("p", {}, [device.adapter, device.models.join(", "), `${tokens(device.cost)} a slot`, `${device.served} of ${device.leased} served`]
        .filter(Boolean).join(" · ")),
      element("ul", {}, work));
  });
}

const done = ({ state, progress }) => (state === "offered" ? 0 : state === "held" ? progress : 1);

function rounds() {
  const found = latest(board.rounds, ([number]) => Number(number)).reverse();
  const known = certified(board.rounds);
  at("gap").textContent = !found.length ? "No round has been held."
    : known ? `Round ${known.number} lost at most ${(100 * known.gap).toFixed(known.gap < 0.001 ? 3 : 1)} % of what any allocation could reach.`
      : "No round is certified yet.";
  const [, last] = found.at(-1) ?? [];
  if (last) at("gap").textContent += ` Allocated by ${words(last.solver)}, priced by ${words(last.mechanism)}.`;
  shown(at("welfare"), found.length ? welfare(found, width("welfare")) : null);
  shown(at("prices"), found.some(([, { prices }]) => prices) ? prices(found, width("prices")) : element("p", { class: "empty" }, "Nothing was traded."));
}

const words = (name) => name.replaceAll("_", " ");

function shares() {
  const count = counted(board.orders), names = Object.keys(count).filter((name) => count[name]);
  if (!names.length) return [element("p", { class: "empty" }, "Nobody has asked for anything. ", element("a", { href: "/ask" }, "Ask"))];
  const part = (name) => {
    const made = element("i", { class: name });
    made.style.flexGrow = count[name];
    return made;
  };
  return [element("div", { class: "share", "aria-hidden": "true" }, names.map(part)),
    element("ul", { class: "legend" }, names.map((name) => element("li", {}, element("i", { class: name }), `${count[name]} ${name}`)))];
}

function orders() {
  const waits = ({ state }) => (state === "waiting" ? 1e12 : 0);
  return latest(board.orders, ([, order]) => waits(order) + order.since).slice(0, ORDERS).map(([name, order]) =>
    row([mono(name), element("span", {}, tag(order.state, KINDS[order.state]), order.rank ? ` came back, rank ${order.rank}` : ""),
      tokens(order.bid), order.state === "waiting" ? (order.reason ?? "for the next round") + (order.needed ? `; ${tokens(order.needed)} would have won` : "") : ""],
    ["Order", "State", "Bid", "Why it waits"], [2]));
}

addEventListener("resize", draw);
connect({ url: here(), role: "watch", told });
