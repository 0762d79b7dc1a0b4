// Keys of this browser: Ed25519, made by WebCrypto, kept in IndexedDB. A device's is not to be read out by anybody, these
// pages included; an owner's, to which money is bound, can be saved.

import { hex } from "../../../verification/encoding/canonical.js";
import { Refusal } from "../../../verification/errors.js";

const STORE = "keys", OWNER = "owner";
const SEED = 32; // bytes of a secret key, the last of its PKCS #8

// The key of a name, made when first asked for: {party: its public half in hex, key: the CryptoKey that signs}.
export async function key(name) {
  const database = await opened();
  const kept = await settled(database.transaction(STORE).objectStore(STORE).get(name));
  if (kept) return kept;
  const pair = await crypto.subtle.generateKey("Ed25519", name.startsWith(OWNER), ["sign", "verify"]);
  const made = { party: hex(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))), key: pair.privateKey };
  // Of two tabs that make one at the same time, the first's is kept.
  const transaction = database.transaction(STORE, "readwrite");
  transaction.objectStore(STORE).add(made, name).onerror = (event) => event.preventDefault();
  await new Promise((resolve) => { transaction.oncomplete = resolve; });
  return settled(database.transaction(STORE).objectStore(STORE).get(name));
}

// Offers an owner's key as a file, as the commands' `--keys` read it.
export async function save(name) {
  const { party, key: secret } = await key(name);
  if (!secret.extractable) throw new Refusal("not-exportable", "This key was made before keys could be saved, and cannot be read out.");
  const seed = new Uint8Array(await crypto.subtle.exportKey("pkcs8", secret)).slice(-SEED);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ owner: hex(seed) })], { type: "application/json" }));
  link.download = `${party.slice(0, 8)}.keys`;
  link.click();
  URL.revokeObjectURL(link.href);
}

// A name is free for a new key; the old one is gone for good.
export async function forget(name) {
  await settled((await opened()).transaction(STORE, "readwrite").objectStore(STORE).delete(name));
}

function opened() {
  const asked = indexedDB.open("distribute-lab market", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
  return settled(asked);
}

function settled(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
