// Envelopes of kind, party, content and signature, as request.py.

import { canonical, digest, parsed } from "./canonical.js";
import { sign, signed } from "./signature.js";
import { Refusal } from "../errors.js";

export const LIMIT = 96_000;
const KEYS = ["content", "kind", "party", "signature"];

// A content signed with a private CryptoKey by its party: the envelope's bytes.
export async function request(key, party, kind, market, content) {
  return canonical({ content, kind, party, signature: await sign(key, kind, market, content) });
}

// An envelope read, its signature checked: {kind, party, content, signature, market, name}.
export async function opened(raw, market, limit = LIMIT) {
  if (raw.length > limit) throw new Refusal("oversized", `${raw.length} bytes; at most ${limit} are allowed`);
  const envelope = parsed(raw);
  if (envelope === null || typeof envelope !== "object" || Object.keys(envelope).sort().join("\0") !== KEYS.join("\0"))
    throw new Refusal("malformed", `an envelope has the keys ${KEYS.join(", ")}`);
  const { kind, party, content, signature } = envelope;
  if (typeof kind !== "string" || !(await signed(party, kind, market, content, signature)))
    throw new Refusal("wrong-signature", "it is not signed by its party for this market");
  return { ...envelope, market, name: await digest([kind, market, party, content]) };
}
