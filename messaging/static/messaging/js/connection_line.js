// The quiet line that says how the connection is, when there is something to say.
const PATIENCE = 2_000; // milliseconds: most interruptions are over before anyone needs to know

export class ConnectionLine {
  #line;
  #said;
  #timer;
  #reason = "";

  /** `said(reason)` is called when it begins to say so; "" when the connection is there again. */
  constructor(line, said = () => {}) {
    this.#line = line;
    this.#said = said;
  }

  up() {
    this.#say("");
  }

  /** `reason`: offline, elsewhere, signed_out or gone. */
  down(reason) {
    if (reason !== "offline") return this.#say(reason);
    this.#timer ??= setTimeout(() => this.#say("offline"), this.#reason ? 0 : PATIENCE);
  }

  #say(reason) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#reason = reason;
    for (const text of this.#line.children) text.hidden = text.dataset.line !== reason;
    this.#said(reason);
  }
}
