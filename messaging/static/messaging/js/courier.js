// Takes what waits for one conversation to the server by HTTP, from whatever page is open.
import { Outbox } from "./outbox.js";
import { userId } from "./page.js";
import { postMessage } from "./posting.js";

const FIRST_PAUSE = 2_000; // milliseconds, doubling
const LONGEST_PAUSE = 30_000;

export class Courier {
  #url;
  #outbox;
  #changed;
  #isOnTheWay = false;
  #failures = 0;
  #timer;
  isGone = false;

  /** `url` of the conversation; `changed()` is called when what is to be told of it has changed. */
  constructor({ store, conversation, url, changed }) {
    this.#url = url;
    this.#changed = changed;
    this.#outbox = new Outbox({
      store,
      person: userId,
      conversation,
      deliver: (entry) => this.#deliver(entry),
      changed,
    });
  }

  get url() {
    return this.#url;
  }

  get entries() {
    return this.#outbox.entries;
  }

  get refusal() {
    return this.#outbox.refusal;
  }

  discard(id) {
    this.#outbox.discard(id);
  }

  /** At once; after that by itself until everything is there. */
  start() {
    this.#failures = 0;
    this.#go();
  }

  rest() {
    clearTimeout(this.#timer);
    this.#isOnTheWay = false;
    this.#outbox.pause();
  }

  #go() {
    clearTimeout(this.#timer);
    this.#isOnTheWay = !this.isGone;
    this.#outbox.flush();
  }

  #deliver({ id, message }) {
    if (this.#isOnTheWay) this.#post({ client_message_id: id, message });
    return this.#isOnTheWay;
  }

  async #post(message) {
    const { ack, error, end } = await postMessage(`${this.#url}new_message/`, message);
    if (end) return this.#stop(end);
    this.#failures = 0;
    if (ack) this.#outbox.settle(message.client_message_id);
    else this.#outbox.refuse(error);
  }

  /** Signed out, it goes on when somebody looks at the page again. */
  #stop(end) {
    this.isGone = end === "gone";
    this.rest();
    if (end === "offline") this.#timer = setTimeout(() => this.#go(), this.#pause());
    this.#changed();
  }

  #pause() {
    this.#failures += 1;
    return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (this.#failures - 1)) * (0.75 + Math.random() / 2);
  }
}
