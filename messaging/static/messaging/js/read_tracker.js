// Says “read” once what is new is in front of somebody: page visible, window in use, end on screen.
import { gather } from "./throttle.js";

const SETTLE = 250; // milliseconds: a passing glance at a tab reads nothing, a burst is one frame

export class ReadTracker {
  #sequence;
  #newest;
  #inView;
  #send;
  #look = gather(() => this.#report(), SETTLE);

  /** `newest()` is the newest message of others on the page, `inView()` whether the end is on
   * screen, `send(sequence)` says whether it could. */
  constructor({ sequence, newest, inView, send }) {
    this.#sequence = sequence;
    this.#newest = newest;
    this.#inView = inView;
    this.#send = send;
    window.addEventListener("focus", this.#look);
    document.addEventListener("visibilitychange", this.#look);
  }

  get isLooking() {
    return !document.hidden && document.hasFocus() && this.#inView();
  }

  get position() {
    return this.#sequence;
  }

  look() {
    this.#look();
  }

  /** Read elsewhere: on another device, or in another tab. */
  moveTo(sequence) {
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  #report() {
    const newest = this.#newest();
    if (newest <= this.#sequence || !this.isLooking || !this.#send(newest)) return;
    this.#sequence = newest;
  }
}
