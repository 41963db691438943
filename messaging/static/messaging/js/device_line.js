// Says that the device keeps nothing, when something waits that only this page has.
import { isHolding } from "./store.js";

const PATIENCE = 2_000; // milliseconds: most of it is sent by then

export class DeviceLine {
  #line;
  #timer;

  constructor(line) {
    this.#line = line;
    document.addEventListener("messaging:held", () => this.#look());
    this.#look();
  }

  #look() {
    if (isHolding()) {
      this.#timer ??= setTimeout(() => this.#show(true), PATIENCE);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#show(false);
  }

  #show(isShown) {
    for (const text of this.#line.children) text.hidden = !isShown;
  }
}
