// What a device has done and is doing, a fold of what its worker tells: no workers, no elements.

export const empty = () => ({ jobs: {}, disputes: {} });

const STATES = { lease: "offered", accepted: "held", declined: "declined", result: "sent", receipt: "received", final: "final", returned: "returned" };

// The device's work after a message of its worker.
export function after(work, message) {
  const { type, lease, claim, ...rest } = message;
  if (type === "dispute" || type === "verdict") {
    const known = work.disputes[claim] ?? { messages: 0 };
    const counted = type === "dispute" ? { messages: known.messages + 1 } : {};
    return { ...work, disputes: { ...work.disputes, [claim]: { ...known, ...defined(rest), ...counted } } };
  }
  if (!lease || !(type in STATES || type === "progress" || type === "token")) return work;
  const known = work.jobs[lease] ?? { state: "offered", share: 0, text: "", order: Object.keys(work.jobs).length };
  const state = type === "final" ? message.outcome : STATES[type] ?? known.state;
  const share = type === "result" ? 1 : Math.max(known.share, message.share ?? 0); // it is computed again for a dispute
  return { ...work, jobs: { ...work.jobs, [lease]: { ...known, ...defined(rest), state, share, text: known.text + (type === "token" ? message.text : "") } } };
}

const defined = (given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null));

// Sums over the jobs: earned and staked as BigInt, in micro-tokens.
export function summed({ jobs, disputes }) {
  const all = Object.values(jobs), over = (state) => all.filter((job) => job.state === state);
  const sum = (found, what) => found.reduce((total, job) => total + BigInt(job[what] ?? 0), 0n);
  return {
    earned: sum(over("final"), "paid"),
    staked: sum(all.filter(({ state }) => ["held", "sent", "received"].includes(state)), "stake"),
    final: over("final").length,
    running: over("held").length,
    lost: Object.values(disputes).filter(({ role, winner }) => winner && winner !== role).length,
    won: Object.values(disputes).filter(({ role, winner }) => winner && winner === role).length,
  };
}
