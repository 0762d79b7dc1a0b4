// What the protocol turns down; `reason` is its short name, as in errors.py.
export class Refusal extends Error {
  constructor(reason, sentence) {
    super(sentence);
    this.reason = reason;
  }
}
