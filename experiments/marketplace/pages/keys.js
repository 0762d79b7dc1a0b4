// Keys of this browser: Ed25519, made by WebCrypto, kept in IndexedDB, not to be read out by anybody, these pages included.

import { hex } from "../../../verification/encoding/canonical.js";

const STORE = "keys";

// The key of a name, made when first asked for: {party: its public half in hex, key: the CryptoKey that signs}.
export async function key(name) {
  const database = await opened();
  const kept = await settled(database.transaction(STORE).objectStore(STORE).get(name));
  if (kept) return kept;
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const made = { party: hex(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))), key: pair.privateKey };
  // Of two tabs that make one at the same time, the first's is kept.
  const transaction = database.transaction(STORE, "readwrite");
  transaction.objectStore(STORE).add(made, name).onerror = (event) => event.preventDefault();
  await new Promise((resolve) => { transaction.oncomplete = resolve; });
  return settled(database.transaction(STORE).objectStore(STORE).get(name));
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
