// What the pages are made of: elements, amounts, times, keys, all as text nodes and properties, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

export const at = (id) => document.getElementById(id);

// An element with attributes (`class`, `title`, `width` …; handlers as `onclick`; null leaves one out) and children.
export function element(name, attributes, ...children) {
  return built(document.createElement(name), attributes, children);
}

export function drawn(name, attributes, ...children) {
  return built(document.createElementNS(SVG, name), attributes, children);
}

function built(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// A bar filled to a share, for readers of the screen too; the policy allows widths set here, not in attributes.
export function bar(share, kind, label) {
  const filled = element("i"), percent = Math.round(100 * Math.min(1, Math.max(0, share)));
  filled.style.width = `${percent}%`;
  const attributes = { class: `bar ${kind}`, role: "progressbar", "aria-valuenow": percent, "aria-label": label };
  return element("span", { ...attributes, "aria-valuemin": 0, "aria-valuemax": 100 }, filled);
}

export function tag(text, kind = "") {
  return element("span", { class: `tag ${kind}` }, text);
}

// A table body's row: texts and elements by heading, numbers to the right.
export function row(cells, headings, numbers = []) {
  return element("tr", {}, cells.map((cell, column) =>
    element("td", { class: numbers.includes(column) ? "number" : null, "data-is": headings[column] }, cell)));
}

// Replaces children only where their text or structure changed, so that focus, selection and screen readers are left alone.
export function shown(parent, ...children) {
  const fresh = parent.cloneNode(false);
  fresh.append(...children.flat(Infinity).filter(Boolean));
  if (!fresh.isEqualNode(parent)) parent.replaceChildren(...fresh.childNodes);
}

// Micro-tokens, a decimal text or BigInt, in tokens.
export function tokens(micro) {
  const value = BigInt(micro), sign = value < 0n ? "−" : "", size = value < 0n ? -value : value;
  const whole = (size / 1_000_000n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = (size % 1_000_000n).toString().padStart(6, "0").replace(/0+$/, "");
  return sign + whole + (rest ? `.${rest}` : "");
}

// Tokens as somebody writes them, in micro-tokens; null of anything else.
export function micro(text) {
  const found = /^(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text.trim());
  return found && BigInt(found[1]) * 1_000_000n + BigInt((found[2] ?? "").padEnd(6, "0"));
}

export const short = (name) => (name ? name.slice(0, 8) : "–");

export function many(number, one, more = `${one}s`) {
  return `${Number(number).toLocaleString("en")} ${number === 1 ? one : more}`;
}

export function seconds(value) {
  if (value < 1) return "under a second";
  if (value < 90) return many(Math.round(value), "second");
  return value < 5400 ? many(Math.round(value / 60), "minute") : many(Math.round(value / 3600), "hour");
}

export function bytes(value) {
  const units = ["bytes", "kB", "MB", "GB"];
  let step = 0, size = value;
  for (; size >= 1000 && step < 3; step += 1) size /= 1000;
  return `${step && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[step]}`;
}

export function rate(value) {
  const units = ["", " thousand", " million", " billion", " trillion"];
  let step = 0, size = value;
  for (; size >= 1000 && step < 4; step += 1) size /= 1000;
  return `${size < 10 ? size.toFixed(1) : Math.round(size)}${units[step]}`;
}

// A colour that a key keeps, told apart from its neighbours'; beside the name, never instead of it.
export function badge(key) {
  const mark = element("i", { class: "badge", "aria-hidden": "true" });
  mark.style.background = `hsl(${parseInt(key.slice(0, 6), 16) % 360} 55% 55%)`;
  return mark;
}
