// One spelling of one content: JSON with sorted keys, no spaces, printable ASCII, whole numbers within +-(2^53 - 1); as
// canonical.py, held against it by vectors.json.

import { Refusal } from "../errors.js";

export const LARGEST_NUMBER = Number.MAX_SAFE_INTEGER;
export const DEEPEST = 16;

// The bytes of a content.
export function canonical(content) {
  return new TextEncoder().encode(written(content, DEEPEST));
}

// The content that has these bytes; what is another spelling, or no content, is malformed.
export function parsed(raw) {
  let content;
  try {
    content = JSON.parse(new TextDecoder().decode(raw));
  } catch {
    throw new Refusal("malformed", "it is not JSON");
  }
  // What JSON.parse rounds, overwrites or skips, and bytes outside ASCII, are not written again as they were.
  if (!same(canonical(content), raw)) throw new Refusal("malformed", "it is not in its canonical encoding");
  return content;
}

// SHA-256 of a content's bytes, in hex.
export async function digest(content) {
  return hex(await sha256(canonical(content)));
}

export async function sha256(...parts) {
  const whole = parts.length === 1 ? parts[0] : joined(parts);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

// Bytes one after another.
export function joined(parts) {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function same(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The bytes of lower-case hex of so many; null of anything else.
export function unhex(text, size) {
  if (typeof text !== "string" || text.length !== 2 * size || !/^[0-9a-f]*$/.test(text)) return null;
  return Uint8Array.from({ length: size }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

function written(content, depth) {
  if (content === null || typeof content === "boolean") return String(content);
  if (typeof content === "string") return text(content);
  if (typeof content === "number") {
    if (!Number.isSafeInteger(content)) throw new Refusal("malformed", "a number is whole and within +-(2^53 - 1)");
    return String(content);
  }
  const list = Array.isArray(content);
  if (!list && (typeof content !== "object" || Object.getPrototypeOf(content) !== Object.prototype))
    throw new Refusal("malformed", "it is no JSON of whole numbers, texts, lists and objects");
  if (depth === 0) throw new Refusal("malformed", `it is nested deeper than ${DEEPEST} levels`);
  if (list) return `[${Array.from(content, (part) => written(part, depth - 1)).join()}]`;
  const parts = Object.keys(content).sort().map((key) => `${text(key)}:${written(content[key], depth - 1)}`);
  return `{${parts.join()}}`;
}

function text(value) {
  if (!/^[ -~]*$/.test(value)) throw new Refusal("malformed", "a text is of printable ASCII");
  return JSON.stringify(value);
}
