// Holds the encodings in JavaScript against vectors.json: {checked, failures}, one line each.

import * as canonical from "../../../verification/encoding/canonical.js";
import { opened, request } from "../../../verification/encoding/request.js";
import * as schema from "../../../verification/encoding/schema.js";
import { sign, signed } from "../../../verification/encoding/signature.js";
import { Refusal } from "../../../verification/errors.js";
import * as manifest from "../../../verification/manifest.js";
import * as merkle from "../../../verification/merkle.js";

const { hex } = canonical;
const READERS = {
  amount: schema.amount(),
  seed: schema.seed,
  digest: schema.digestText,
  key: schema.keyText,
  words: schema.words,
  proof: schema.proof,
};
// What no JSON holds, and what of it no other language has.
const NO_CONTENT = [undefined, 1.5, NaN, Infinity, 2 ** 53, -(2 ** 53), 1n, "\u00e9", "\n", "\ud800", { "\u00e9": 1 }, [undefined], [,], new Map(), () => 1, new Date(0), Symbol.iterator];

export async function check(vectors) {
  let checked = 0;
  const failures = [];
  const expect = (holds, ...said) => {
    checked += 1;
    if (!holds) failures.push(said.join(" "));
  };
  const bytes = schema.binary, equal = (found, wanted) => JSON.stringify(found) === JSON.stringify(wanted);
  const reason = async (call) => {
    try {
      await call();
    } catch (refusal) {
      return refusal instanceof Refusal ? refusal.reason : String(refusal);
    }
    return "";
  };

  for (const { content, raw, digest } of vectors.encodings.good) {
    expect(canonical.same(canonical.canonical(content), bytes(raw)), "written otherwise:", raw);
    expect(equal(canonical.parsed(bytes(raw)), content), "read otherwise:", raw);
    expect((await canonical.digest(content)) === digest, "another digest:", raw);
  }
  for (const { raw, why } of vectors.encodings.refused)
    expect((await reason(() => canonical.parsed(bytes(raw)))) === "malformed", "read:", why);
  for (const content of NO_CONTENT)
    expect((await reason(() => canonical.canonical(content))) === "malformed", "written:", typeof content, String(content));

  for (const { reader, good, refused } of vectors.readers) {
    for (const value of good) {
      const found = await reason(() => READERS[reader](value));
      expect(found === "", reader, "does not read", value, found);
    }
    for (const value of refused) expect((await reason(() => READERS[reader](value))) === "malformed", reader, "reads", value);
  }
  const text = vectors.leaves.at(-1).words;
  expect(schema.wordsText(schema.words(text)) === text, "words are written otherwise");

  const envelope = Uint8Array.from([...bytes("MC4CAQAwBQYDK2VwBCIEIA=="), ...canonical.unhex(vectors.seed, 32)]);
  const key = await crypto.subtle.importKey("pkcs8", envelope, "Ed25519", false, ["sign"]);
  const first = vectors.signatures[0];
  expect((await sign(key, first.kind, first.market, first.content)) === first.signature, "signed otherwise");
  for (const { party, kind, market, content, signature, why } of vectors.signatures)
    expect((await signed(party, kind, market, content, signature)) === (why === ""), "signature:", why || "good");

  for (const { raw, market, limit, name, reason: wanted, why } of vectors.requests) {
    let found;
    const got = await reason(async () => { found = await opened(bytes(raw), market, limit); });
    expect(got === wanted && (found?.name ?? "") === name, "request:", why, got);
    if (found) expect(canonical.same(await request(key, found.party, found.kind, market, found.content), bytes(raw)), "requested otherwise");
  }

  for (const { words, digest } of vectors.leaves)
    expect(hex(await merkle.leafDigest(schema.words(words))) === digest, "leaf", digest);
  for (const { rows, words, root, digest } of vectors.nodes) {
    const found = root ? merkle.nodeDigest(rows, words, canonical.unhex(root, 32)) : merkle.nullDigest();
    expect(hex(await found) === digest, "node", rows, words);
  }
  for (const { digests, root, proofs, parts } of vectors.trees.good) {
    const leaves = split(bytes(digests)), levels = await merkle.tree(leaves), count = leaves.length;
    expect(hex(levels.at(-1)[0]) === root, "root of", count);
    for (const [index, proof] of proofs.entries()) {
      expect(schema.proofText(merkle.path(levels, index)) === proof, "proof", index, count);
      expect(hex(await merkle.rootOf(leaves[index], index, count, schema.proof(proof))) === root, "root of proof", index, count);
    }
    for (const [at, spans] of parts.entries()) {
      expect(equal(merkle.parts([0, count], at + 1), spans), "parts of", count);
      const below = spans.map((span) => merkle.subtree(levels, span));
      expect(hex(await merkle.folded([0, count], at + 1, below)) === root, "folded", count);
    }
  }
  for (const { digest, index, count, proof, root, why } of vectors.trees.refused) {
    const found = await merkle.rootOf(canonical.unhex(digest, 32), index, count, schema.proof(proof));
    expect(found === null || hex(found) !== root, "proof:", why);
  }

  for (const { type, rows, columns, numbers, digest } of vectors.tiles)
    expect(hex(await merkle.tileDigest(type, rows, columns, bytes(numbers))) === digest, "tile", type, rows, columns);
  const SIZES = { i08: 1, u08: 1, i16: 2, u16: 2, i32: 4, u32: 4 };
  for (const { type, shape, root } of vectors.constants) {
    const constants = { w: { type, shape, root } }, columns = manifest.matrixShape(shape)[1];
    const tiles = Array.from({ length: manifest.tileCount(shape) }, (_, index) => {
      const [top, bottom, left, right] = manifest.tilePlace(shape, index), width = right - left;
      const number = (at) => ((top + Math.floor(at / width)) * columns + left + (at % width)) * 7 % 101;
      const numbers = Array.from({ length: (bottom - top) * width }, (_, at) => number(at));
      const raw = Uint8Array.from(numbers.flatMap((each) => [each, 0, 0, 0].slice(0, SIZES[type])));
      return { numbers, raw, rows: bottom - top, width };
    });
    const levels = await merkle.tree(await Promise.all(tiles.map((tile) => merkle.tileDigest(type, tile.rows, tile.width, tile.raw))));
    for (const [index, { numbers, raw }] of tiles.entries()) {
      const path = merkle.path(levels, index), wrong = Uint8Array.from(raw, (byte, at) => (at ? byte : byte ^ 1));
      expect(equal(await manifest.provenTile({ constants }, "w", index, raw, path), numbers), "tile", index, "of", shape);
      expect((await reason(() => manifest.provenTile({ constants }, "w", index, wrong, path))) === "wrong-tile", "a wrong tile");
    }
    expect((await reason(() => manifest.provenTile({ constants }, "w", tiles.length, tiles[0].raw, []))) === "no-such-tile", "a tile too many");
    expect((await reason(() => manifest.provenTile({ constants }, "toString", 0, tiles[0].raw, []))) === "no-such-constant", "no constant");
  }

  for (const { raw, digest } of vectors.manifests.good)
    expect((await canonical.digest(manifest.opened(bytes(raw)))) === digest, "manifest", digest);
  for (const { raw, why } of vectors.manifests.refused)
    expect((await reason(() => manifest.opened(bytes(raw)))) === "malformed", "manifest:", why);
  return { checked, failures };
}

function split(raw) {
  return Array.from({ length: raw.length / 32 }, (_, at) => raw.slice(32 * at, 32 * at + 32));
}
