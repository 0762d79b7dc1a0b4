// Ed25519 signatures over kind, market and content, as strict as signature.py: no points of small order, one encoding.

import { canonical, hex, joined, unhex } from "./canonical.js";

const DOMAIN = new TextEncoder().encode("distribute-lab/1\0");
const PRIME = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const OF_ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const SMALL_ORDER = new Set([0n, 1n, PRIME - 1n, OF_ORDER_8, PRIME - OF_ORDER_8]);

export function signingBytes(kind, market, content) {
  return joined([DOMAIN, canonical([kind, market, content])]);
}

// A signature in hex by a private CryptoKey.
export async function sign(key, kind, market, content) {
  return hex(new Uint8Array(await crypto.subtle.sign("Ed25519", key, signingBytes(kind, market, content))));
}

// Whether the party, a key in hex, signed the content.
export async function signed(party, kind, market, content, signature) {
  const name = unhex(party, 32), proof = unhex(signature, 64);
  if (!isPoint(name) || !proof || !isPoint(proof.subarray(0, 32)) || number(proof.subarray(32)) >= ORDER) return false;
  let key;
  try {
    key = await crypto.subtle.importKey("raw", name, "Ed25519", true, ["verify"]);
  } catch {
    return false; // no point of the curve, where a browser asks so early
  }
  return crypto.subtle.verify("Ed25519", key, proof, signingBytes(kind, market, content));
}

// Whether a text can be a public key.
export function isKey(party) {
  return isPoint(unhex(party, 32));
}

function isPoint(raw) {
  if (!raw) return false;
  const y = number(raw) & (2n ** 255n - 1n);
  return y < PRIME && !SMALL_ORDER.has(y);
}

function number(raw) {
  return BigInt(`0x${hex(Uint8Array.from(raw).reverse())}`);
}
