// Who is on a conversation: which side they are on, whether they are here, and who is writing.
import { phrase } from "./page.js";
import { lastHere } from "./times.js";

/** A name, with the side of whoever takes part for somebody else. `page`: the thread's data. */
export function signature(page, { id, name, role }) {
  const stands = role && ![page.buyer, page.seller].includes(String(id ?? ""));
  return stands ? phrase(role === "seller" ? "forSeller" : "forBuyer", { s: name }) : name;
}

/** Everybody who takes part, as `ready` and `participants` tell it. */
export class Members {
  #page;
  #people = new Map();

  constructor(page) {
    this.#page = page;
  }

  meet(participants) {
    this.#people = new Map(participants.map((each) => [String(each.id), each]));
  }

  /** A colleague's reading is not the other side's. */
  isOpposite(id) {
    const person = this.#people.get(String(id));
    return person !== undefined && person.role !== this.#page.role;
  }

  nameOf(id) {
    return this.#people.get(String(id))?.username ?? "";
  }

  /** Whether the page was made for just these people. */
  get areOnPage() {
    const ids = [...this.#people.values()].filter((each) => each.id !== null).map((each) => each.id);
    return ids.join(" ") === this.#page.participants;
  }
}

export class Presence {
  #label;

  constructor(label) {
    this.#label = label;
  }

  /** Whether a frame begins to hide somebody or to show them again: that goes with a block. */
  isTurn({ id, online, last_seen: day }) {
    const isKnown = Boolean(online || day);
    return this.#isOf(id) && isKnown !== Boolean(this.#label.textContent.trim());
  }

  /** The same label of a fresh copy of the page; it may be another person's. */
  takeOver(label) {
    Object.assign(this.#label.dataset, label.dataset);
    this.#label.textContent = label.textContent;
  }

  /** Nobody can say now who is here. */
  hide() {
    this.#label.dataset.online = "false";
    this.#label.textContent = "";
  }

  #isOf(id) {
    return String(id) === this.#label.dataset.person;
  }

  show({ id, online, last_seen: day }) {
    if (!this.#isOf(id)) return;
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

  show(name, seconds) {
    if (!name) return;
    this.#sign.querySelector("span").textContent = phrase("writing", { s: name });
    this.#sign.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), seconds * 1000);
  }

  hide() {
    clearTimeout(this.#timer);
    this.#sign.hidden = true;
  }
}
