// The tabs of a person take turns at sending what they all keep. Where there are no locks (plain http),
// or whoever has the turn does not move (a frozen tab), they go together: what is sent twice under one
// id is stored once.
const PATIENCE = 10_000; // milliseconds

export class Turn {
  #name;
  #asking = null;
  #isMine = false;
  #end = null;

  constructor(name) {
    this.#name = name;
  }

  get isMine() {
    return this.#isMine;
  }

  /** Calls `taken()` as soon as it is this tab's turn, unless that was given up before. */
  take(taken) {
    if (this.#asking) return;
    const asking = new AbortController();
    this.#asking = asking;
    const start = () => {
      if (this.#asking !== asking || this.#isMine) return;
      this.#isMine = true;
      taken();
    };
    if (!navigator.locks) return start();
    setTimeout(start, PATIENCE);
    navigator.locks.request(this.#name, { signal: asking.signal }, () => this.#hold(asking, start)).catch(start);
  }

  give() {
    this.#asking?.abort();
    this.#asking = null;
    this.#isMine = false;
    this.#end?.();
    this.#end = null;
  }

  /** The lock is held until what this gives back is settled. */
  #hold(asking, start) {
    if (this.#asking !== asking) return undefined;
    return new Promise((done) => {
      this.#end = done;
      start();
    });
  }
}
