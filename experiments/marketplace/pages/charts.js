// Pictures of the market: rounds, prices, and a dispute that descends to a step. Drawn at the width there is.

import { drawn, tokens } from "./elements.js";

const HEIGHT = 130, LEFT = 44, FOOT = 18;
const LEVEL = 14, FALL = 34; // a bar of the descent, and the funnel below it

// Rounds, [number, round], the oldest first: welfare as bars, certified bounds over them.
export function welfare(rounds, width) {
  const most = Math.max(1, ...rounds.map(([, { welfare, bound }]) => Number(bound ?? welfare)));
  const { place, step, high, picture } = frame(rounds, width, most, "Welfare of each round and its certified bound, in tokens");
  for (const [index, [number, { welfare, bound, matched, orders }]] of rounds.entries()) {
    const [x, top] = [place(index), high(Number(welfare))];
    const said = `Round ${number}: ${matched} of ${orders} orders, welfare ${tokens(welfare)}` +
      (bound === null ? ", not certified yet" : `, at most ${tokens(bound)}`);
    const title = drawn("title", {}, said);
    const parts = [drawn("rect", { class: "gain", x, y: top, width: step * 0.72, height: high(0) - top, rx: 1.5 })];
    if (bound !== null) {
      const y = high(Number(bound));
      parts.push(drawn("rect", { class: "gap", x, y, width: step * 0.72, height: Math.max(0, top - y) }));
      parts.push(drawn("path", { class: "bound", d: `M${x} ${y}h${step * 0.72}` }));
    }
    picture.append(drawn("g", {}, title, parts));
  }
  return picture;
}

// The range of prices of each round, and its median.
export function prices(rounds, width) {
  const most = Math.max(1, ...rounds.map(([, { prices }]) => Number(prices?.highest ?? 0)));
  const { place, step, high, picture } = frame(rounds, width, most, "Prices of each round's leases, in tokens");
  for (const [index, [number, { prices }]] of rounds.entries()) {
    if (!prices) continue;
    const x = place(index) + step * 0.36;
    const [low, middle, top] = [prices.lowest, prices.median, prices.highest].map((price) => high(Number(price)));
    const title = drawn("title", {}, `Round ${number}: ${tokens(prices.lowest)} to ${tokens(prices.highest)}, median ${tokens(prices.median)}`);
    picture.append(drawn("g", {}, title, drawn("path", { class: "range", d: `M${x} ${low}V${Math.min(top, low - 0.1)}` }),
      drawn("circle", { class: "median", cx: x, cy: middle, r: 3.2 })));
  }
  return picture;
}

function frame(rounds, width, most, label) {
  const step = Math.min(28, (width - LEFT) / Math.max(1, rounds.length));
  const place = (index) => LEFT + step * index;
  const high = (value) => 8 + (HEIGHT - 8 - FOOT) * (1 - value / most);
  const picture = drawn("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": label });
  for (const value of [0, most / 2, most]) {
    picture.append(drawn("path", { class: "axis", d: `M${LEFT} ${high(value)}H${width}` }));
    picture.append(drawn("text", { x: LEFT - 8, y: high(value) + 4, "text-anchor": "end" }, rounded(value)));
  }
  const every = Math.max(1, Math.ceil(40 / step));
  for (const [index, [number]] of rounds.entries()) {
    if (index % every === 0) picture.append(drawn("text", { x: place(index), y: HEIGHT - 2 }, number));
  }
  return { place, step, high, picture };
}

const rounded = (micro) => (micro / 1e6).toLocaleString("en", { maximumSignificantDigits: 3, notation: "compact" });

// The levels of a dispute, each the part of the one above that is still in question.
export function descent({ path, step, state, winner }, width) {
  const rows = path.length, height = rows * (LEVEL + FALL) - FALL + (step ? 42 : 18);
  const label = path.map((each) => `${each.level}: ${each.low} to ${each.high} of ${each.size}`).join("; ");
  const picture = drawn("svg", { class: "descent", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  path.forEach(({ level, size, low, high }, index) => {
    const y = index * (LEVEL + FALL) + 16;
    const wide = Math.max(3, (width * (high - low)) / size), left = Math.min(width - wide, (width * low) / size);
    const last = index === rows - 1;
    picture.append(drawn("text", { x: 0, y: y - 5 }, said(level, size, low, high)));
    picture.append(drawn("rect", { class: "level", x: 0, y, width, height: LEVEL, rx: 4 }));
    if (!last) {
      const [foot, below] = [y + LEVEL, y + LEVEL + FALL];
      picture.append(drawn("path", { class: "funnel", d: `M${left} ${foot}H${left + wide}L${width} ${below}H0Z` }));
    }
    picture.append(drawn("rect", { class: last && step ? "point" : "open", x: left, y, width: wide, height: LEVEL, rx: 2 }));
    if (last && step) {
      const end = left + wide / 2 > width / 2, x = end ? left + wide : left;
      const verdict = state === "over" ? (winner === "challenger" ? "computed wrongly" : "computed rightly") : "the referee computes it";
      picture.append(drawn("text", { class: "strong", x, y: y + LEVEL + 17, "text-anchor": end ? "end" : "start" }, `${step.kind}: ${verdict}`));
    }
  });
  return picture;
}

function said(level, size, low, high) {
  const number = (value) => value.toLocaleString("en");
  const one = level.replace(/ves$/, "f").replace(/s$/, "");
  return high - low === 1 ? `${one} ${number(low)} of ${number(size)}` : `${number(high - low)} of ${number(size)} ${level}`;
}
