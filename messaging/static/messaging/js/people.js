// The other side: whether they are here, and whether they are writing.
import { phrase } from "./page.js";
import { lastHere } from "./times.js";

export class Presence {
  #label;

  constructor(label) {
    this.#label = label;
  }

  show({ id, online, last_seen: day }) {
    if (String(id) !== this.#label.dataset.person) return;
    this.#label.dataset.online = String(online);
    this.#label.textContent = online ? phrase("hereNow") : lastHere(day);
  }
}

export class TypingSign {
  #sign;
  #timer;

  constructor(sign) {
    this.#sign = sign;
  }

  show(seconds) {
    this.#sign.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), seconds * 1000);
  }

  hide() {
    clearTimeout(this.#timer);
    this.#sign.hidden = true;
  }
}
