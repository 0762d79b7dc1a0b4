// The dedicated worker in which a page gives compute: driven by messages alone, so that it runs on in a hidden tab. What
// it is told: start, cheat, pause, resume, freeze, thaw, stop; what it tells, provider.js and give.js say.

import { key } from "./keys.js";
import { machine } from "./machine.js";
import { provider } from "./provider.js";

const tell = (message) => postMessage(message);
const state = (name, sentence) => tell({ type: "state", state: name, sentence });
const device = machine({ onLost: (sentence) => state("lost", `${sentence} Opening it again.`) });
const standing = new Map();
let settings = null, working = null;

async function begin() {
  state("starting", "Opening the adapter.");
  const { slot = 0 } = settings;
  const keys = { owner: await key(`owner ${slot}`), device: await key(`device ${slot}`) };
  tell({ type: "keys", owner: keys.owner.party, device: keys.device.party });
  const { name, lanes, subgroups, limits } = await device.adapter();
  tell({ type: "adapter", name, lanes, subgroups, limits });
  working = provider({ ...settings, keys }, device, tell, standing);
}

async function leave(why, name, sentence) {
  const left = working;
  working = null;
  await left?.leave(why, name === "stopped");
  state(name, sentence);
}

const told = {
  async start(given) {
    settings = given;
    await begin();
  },
  cheat: async ({ on }) => {
    settings.cheat = on;
    working?.cheat(on);
  },
  pause: async () => working?.pause(true),
  resume: async () => working?.pause(false),
  freeze: () => leave("the page sleeps", "frozen", "The page sleeps; what was held is handed back."),
  thaw: async () => settings && !working && begin(),
  stop: () => leave("the page stops", "stopped", "Stopped."),
};

let turn = Promise.resolve(); // one after another, as they came
addEventListener("message", ({ data: { type, ...given } }) => {
  turn = turn.then(() => told[type](given)).catch((error) => state("refused", error.message));
});
