// What has become of a user's orders, a fold of messages: no sockets, no elements.

// Why a lease ended otherwise than final, by its outcome.
const ENDS = {
  fallen: "its provider was found wrong",
  missed: "its provider was not done in time",
  returned: "its provider handed it back",
  declined: "its provider declined it",
  annulled: "a dispute over it could not be judged",
};

// An order just posted: of one request, to `model`, with `prompt`.
export function posted({ name, model, prompt, bid, at }) {
  return { name, model, prompt, bid, at, state: "waiting", text: "", tokens: [], struck: [], lease: null };
}

// The order after a message of the market about it; an `output` with its `tokens` and their `text`.
export function after(order, message) {
  switch (message.type) {
    case "waits":
      return { ...order, state: "waiting", reason: message.reason, needed: message.bid };
    case "token":
      return { ...order, state: "streaming", lease: message.lease, reason: null, text: (message.lease === order.lease ? order.text : "") + (message.text ?? "") };
    case "output":
      return { ...order, state: "delivered", lease: message.lease, reason: null, text: message.text, tokens: message.tokens };
    case "shown":
      return { ...order, state: "shown", window: message.window, root: message.root, price: message.audit_price };
    case "audited":
      return { ...order, audited: true };
    case "strike":
      return { ...order, state: "waiting", text: "", tokens: [], reason: null, challenged: false, audited: false,
        struck: [...order.struck, { text: order.text, why: ENDS[message.reason] ?? message.reason }] };
    case "final":
      if (!message.lease) return { ...order, state: message.outcome, paid: message.paid ?? order.paid };
      return message.outcome === "final" ? { ...order, state: "served", paid: message.paid } : order;
    case "challenged":
      return { ...order, challenged: true, audited: false };
    default:
      return order;
  }
}

// Whether its result can be challenged at a tick.
export const open = ({ state, window, challenged }, tick) => state === "shown" && !challenged && tick <= window;

// What it is told as, and of what kind that is.
export function said({ state, reason, needed, struck, challenged, audited }) {
  const again = struck.length ? "It came back and is ranked higher. " : "";
  switch (state) {
    case "waiting":
      return [again + (reason ? `It waits: ${reason}.` : "It waits for the next round."), "warn"];
    case "streaming":
      return ["Not final: being computed.", "warn"];
    case "delivered":
      return ["Not final: computed, and may be drawn for an audit.", "warn"];
    case "shown":
      if (audited) return ["Not final: an audit found the same; anybody may still dispute it.", "warn"];
      return [challenged ? "Not final: your challenge bought an audit." : "Not final: anybody may still dispute it.", "warn"];
    case "served":
      return ["Final.", "good"];
    default:
      return [state === "withdrawn" ? "Withdrawn; what you bid is back." : "It waited in vain; what you bid is back.", "open"];
  }
}
