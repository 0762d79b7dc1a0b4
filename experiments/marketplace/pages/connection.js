// The market's client: one WebSocket that proves its key, takes up again what was cut, and asks until it is answered.

import { canonical, parsed } from "../../../verification/encoding/canonical.js";
import { request } from "../../../verification/encoding/request.js";
import { base64 } from "../../../verification/encoding/schema.js";
import { sign } from "../../../verification/encoding/signature.js";
import { Refusal } from "../../../verification/errors.js";

export const VERSION = 1;
const framed = (frame) => new TextDecoder().decode(canonical(frame));
const PAUSES = [0.5, 1, 2, 4, 8, 15]; // seconds before the next try

// Where the market of this page listens.
export const here = () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/market`;

// Connects as `role`; `owner` and `device` are {party, key}. `told(message)` gets what is no answer, and of the connection
// itself {type: "connected"} and {type: "disconnected", seconds}.
export function connect({ url, role, owner = null, device = null, told }) {
  const asked = new Map(), known = Promise.withResolvers();
  let socket, market, welcomed = false, failures = 0, ended = false, count = 0;

  function open() {
    socket = new WebSocket(url);
    let turn = Promise.resolve(); // in order, though proving the key takes its time
    socket.onmessage = ({ data }) => { turn = turn.then(() => received(JSON.parse(data))); };
    socket.onclose = () => {
      welcomed = false;
      if (ended) return;
      const seconds = PAUSES[Math.min(failures++, PAUSES.length - 1)];
      told({ type: "disconnected", seconds });
      setTimeout(open, 1000 * seconds * (0.75 + Math.random() / 2));
    };
  }

  async function received(message) {
    if (message.type === "challenge") {
      market = message.market;
      socket.send(JSON.stringify(await hello(message)));
    } else if (message.type === "welcome") {
      [welcomed, failures] = [true, 0];
      told({ type: "connected" });
      told(message);
      known.resolve(market);
      for (const { text } of asked.values()) socket.send(text);
    } else if (asked.has(message.id)) {
      const { resolve, reject } = asked.get(message.id);
      asked.delete(message.id);
      if (message.type === "refused") reject(new Refusal(message.reason, message.sentence));
      else resolve(message);
    } else told(message);
  }

  async function hello({ nonce }) {
    const signer = role === "device" ? device : owner, origin = location.origin;
    const signature = signer && (await sign(signer.key, "hello", market, { nonce, origin, role }));
    const names = { ...(owner && { owner: owner.party }), ...(device && { device: device.party }) };
    return { type: "hello", version: VERSION, role, origin, ...names, ...(signature && { signature }) };
  }

  function send(message) {
    if (welcomed) socket.send(JSON.stringify(message));
  }

  // The answer to a message, or a Refusal. What was not answered is asked again after a reconnection: a request that is
  // made twice is one.
  function answer(message, written = JSON.stringify) {
    const waiting = Promise.withResolvers(), id = ++count, text = written({ ...message, id });
    asked.set(id, { ...waiting, text });
    if (welcomed) socket.send(text);
    return waiting.promise;
  }

  // As `ask`, of an envelope's bytes.
  function asks(envelope, blobs = {}) {
    const encoded = Object.fromEntries(Object.entries(blobs).map(([digest, raw]) => [digest, base64(raw)]));
    return answer({ type: "ask", request: parsed(envelope), blobs: encoded }, framed);
  }

  open();
  return {
    send,
    answer,
    // A request signed by `signer`, and bytes by digest that go beside it; a frame that holds it is canonical, as it is.
    async ask(kind, signer, content, blobs = {}) {
      return asks(await request(signer.key, signer.party, kind, await known.promise, content), blobs);
    },
    asks,
    // Asks for what nobody waits for, now or not at all.
    async say(kind, signer, content) {
      if (welcomed) socket.send(framed({ type: "ask", id: ++count, request: parsed(await request(signer.key, signer.party, kind, market, content)) }));
    },
    market: () => market,
    close() {
      ended = true;
      socket.close();
    },
  };
}
