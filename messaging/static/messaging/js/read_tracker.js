// Says “read” once what is new is in front of somebody: page visible, window in use, end on screen.
import { gather } from "./throttle.js";

const SETTLE = 250; // milliseconds: a passing glance at a tab reads nothing, a burst is one frame
const TRY_LATER = 5; // seconds, where the server names none

export class ReadTracker {
  #sequence;
  #known; // to the server: the same, or what it has not taken yet is said again
  #said; // known, or under way
  #timer = null;
  #newest;
  #inView;
  #send;
  #look = gather(() => this.#report(), SETTLE);

  /** `newest()` is the newest message of others on the page, `inView()` whether the end is on
   * screen, `send(sequence)` says whether it could. */
  constructor({ sequence, newest, inView, send }) {
    this.#sequence = this.#known = this.#said = sequence;
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
    this.#known = Math.max(this.#known, sequence);
    this.#said = Math.max(this.#said, sequence);
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  /** All that the server knows of: what was said on a line that is gone may be lost with it. */
  settle(sequence) {
    this.#known = this.#said = sequence;
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  /** It did not take what was said. */
  refuse(seconds = TRY_LATER) {
    this.#said = this.#known;
    clearTimeout(this.#timer);
    // Who was refused together does not come back together.
    this.#timer = setTimeout(() => this.#retry(), seconds * 1000 * (1 + Math.random() / 4));
  }

  #retry() {
    this.#timer = null;
    this.#look();
  }

  /** Read is read, also when nobody looks any more once it can be said. */
  #report() {
    if (this.#timer) return;
    const reached = this.isLooking ? Math.max(this.#newest(), this.#sequence) : this.#sequence;
    if (reached <= this.#said || !this.#send(reached)) return;
    this.#sequence = this.#said = reached;
  }
}
