// What is known of the market, kept up to date by messages that say what changed.

export const COLLECTIONS = ["rounds", "orders", "devices", "leases", "disputes", "events"];

export const empty = () => Object.fromEntries(COLLECTIONS.map((name) => [name, {}]));

// The board after a `board` message: entries of a collection replace those of their name, null removes one.
export function updated(board, { tick, number, head, parts }) {
  const after = { ...board, ...parts, tick, head: { number, digest: head } };
  for (const name of COLLECTIONS) {
    const entries = Object.entries({ ...board[name], ...parts[name] });
    after[name] = Object.fromEntries(entries.filter(([, entry]) => entry !== null));
  }
  return after;
}

// Entries of a collection, [name, entry], the last by `place` first.
export function latest(collection, place) {
  return Object.entries(collection).sort((left, right) => place(right) - place(left));
}

// Orders by the state they are in.
export function counted(orders) {
  const count = { waiting: 0, leased: 0, served: 0, ended: 0 };
  for (const { state } of Object.values(orders)) count[state in count ? state : "ended"] += 1;
  return count;
}

// The last round whose bound is certified, and by which share of it its welfare may fall short; null where there is none.
export function certified(rounds) {
  const [found] = latest(rounds, ([number]) => Number(number)).filter(([, { bound }]) => bound !== null && bound !== undefined);
  if (!found) return null;
  const [number, { welfare, bound }] = found, most = BigInt(bound);
  return { number: Number(number), gap: most > 0n ? Number(most - BigInt(welfare)) / Number(most) : 0 };
}

// What a dispute has come to, in words.
export function standing({ state, path, winner, reason, step }) {
  if (state === "queued") return "waits for its turn";
  if (state === "over") return winner === "challenger" ? "the result is wrong" : winner === "asserter" ? "the result is right" : reason;
  if (state === "awaited") return "the provider is silent: a deputy is called";
  if (step) return "one step is left: the referee computes it";
  const level = path.at(-1);
  return level ? `${(level.high - level.low).toLocaleString("en")} of ${level.size.toLocaleString("en")} ${level.level} in question` : "begins";
}
