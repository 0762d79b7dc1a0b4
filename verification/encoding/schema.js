// What a content must hold: a schema is an object of keys and readers, as schema.py. Amounts and seeds are read as
// BigInt, words as Int32Array, proofs as lists of digests.

import { joined } from "./canonical.js";
import { isKey } from "./signature.js";
import { Refusal } from "../errors.js";

const LEAF = 1024, DIGEST = 32, LONGEST_NAME = 128, LONGEST_PROOF = 64;
const own = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : null);

// The values of a content that has just a schema's keys.
export function read(schema, content) {
  const names = Object.keys(schema).sort();
  expect(own(content)?.sort().join("\0") === names.join("\0"), `an object with the keys ${names.join(", ")}`);
  return Object.fromEntries(names.map((name) => {
    try {
      return [name, schema[name](content[name])];
    } catch (refusal) {
      throw refusal instanceof Refusal ? new Refusal("malformed", `${name}: ${refusal.message}`) : refusal;
    }
  }));
}

export const mapping = (schema) => (value) => read(schema, value);

export const each = (reader, most) => (value) => {
  expect(Array.isArray(value) && value.length <= most, `a list of at most ${most}`);
  return value.map((part) => reader(part));
};

export const named = (reader, most) => (value) => {
  const names = own(value);
  expect(names && names.length <= most, `an object of at most ${most} names`);
  return read(Object.fromEntries(names.map((name) => [nameText(name), reader])), value);
};

export const optional = (reader) => (value) => (value === null ? null : reader(value));

export const number = (low, high) => (value) => {
  expect(Number.isSafeInteger(value) && low <= value && value <= high, `a whole number from ${low} to ${high}`);
  return value;
};

export const oneOf = (...allowed) => (value) => {
  expect(allowed.includes(value), `one of ${allowed.join(", ")}`);
  return value;
};

export function flag(value) {
  expect(typeof value === "boolean", "true or false");
  return value;
}

export function nameText(value) {
  expect(typeof value === "string" && value && value.length <= LONGEST_NAME, `a text of 1 to ${LONGEST_NAME} characters`);
  return value;
}

export function digestText(value) {
  expect(typeof value === "string" && /^[0-9a-f]{64}$/.test(value), "64 lower-case hexadecimal digits");
  return value;
}

export function keyText(value) {
  expect(isKey(value), "a public key, 64 lower-case hexadecimal digits,");
  return value;
}

const decimal = (low, high) => (value) => {
  const spelt = typeof value === "string" && value.length <= 20 && /^(0|[1-9][0-9]*)$/.test(value) && BigInt(value);
  expect(spelt !== false && low <= spelt && spelt <= high, `a whole number from ${low} to ${high} as a decimal text`);
  return spelt;
};

export const amount = (low = 1n) => decimal(low, 2n ** 63n - 1n);

export const seed = decimal(0n, 2n ** 64n - 1n);

// Base64 in its one spelling; atob takes others too.
export function binary(value) {
  let raw = null;
  try {
    if (typeof value === "string") raw = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
  } catch {
    raw = null;
  }
  expect(raw && base64(raw) === value, "base64");
  return raw;
}

export function words(value) {
  const raw = binary(value);
  expect(raw.length % 4 === 0 && raw.length && raw.length <= 4 * LEAF, `1 to ${LEAF} words of 4 bytes`);
  const view = new DataView(raw.buffer);
  return Int32Array.from({ length: raw.length / 4 }, (_, at) => view.getInt32(4 * at, true));
}

export function proof(value) {
  const raw = binary(value);
  const fits = raw.length % DIGEST === 0 && raw.length <= LONGEST_PROOF * DIGEST;
  expect(fits, `at most ${LONGEST_PROOF} digests of ${DIGEST} bytes`);
  return Array.from({ length: raw.length / DIGEST }, (_, at) => raw.slice(DIGEST * at, DIGEST * (at + 1)));
}

// What `words` and `proof` read.
export const wordsText = (words) => base64(littleEndian(words));
export const proofText = (digests) => base64(joined(digests));

export function base64(raw) {
  return btoa(Array.from(raw, (byte) => String.fromCharCode(byte)).join(""));
}

// Words as bytes, the lowest first.
export function littleEndian(words) {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, at) => view.setInt32(4 * at, word, true));
  return new Uint8Array(view.buffer);
}

function expect(fits, expected) {
  if (!fits) throw new Refusal("malformed", `${expected} is expected`);
}
