// Messages that are not known to be stored. They are kept on the device, each by itself so that no tab
// overwrites what another keeps, and go out one at a time, in order, each under the id it was born
// with: however often it is sent, it is stored once.
import { newIdentifier } from "./identifiers.js";
import { Turn } from "./turn.js";

const ACK_PATIENCE = 15_000; // milliseconds; then the same goes out again
// Seconds, where the server names none. They double as long as it goes on like that.
const TRY_LATER = { rate_limited: 5, unavailable: 3, internal: 3, unauthenticated: 3 };
const LONGEST = 30;
const HOLD = "hold"; // The server counts what a person sends, whatever they send it in.

export class Outbox {
  #store;
  #prefix;
  #deliver;
  #changed;
  #turn;
  #inFlight = null; // the entry, as long as nothing is heard of it
  #timer;
  #refusal = null;
  #failures = 0;

  /** `deliver(entry)` hands one to the line and says whether there is one. `changed()` is called
   * when what `entries`, `refusal` or `isHeld` tell has changed. */
  constructor({ store, person, conversation, deliver, changed }) {
    this.#store = store;
    this.#prefix = `outbox.${conversation}.`;
    this.#deliver = deliver;
    this.#changed = changed;
    this.#turn = new Turn(`trato.outbox.${person}.${conversation}`);
    this.#takeOver(`outbox.${conversation}`);
    const look = () => {
      changed();
      this.flush();
    };
    for (const start of [this.#prefix, HOLD]) store.watch(start, look);
  }

  /** [{id, message, at, order}], oldest first. */
  get entries() {
    const kept = this.#store.names(this.#prefix).map((name) => this.#store.read(name, null));
    return kept.filter((entry) => entry?.id).sort(compare);
  }

  /** What a page shows: these, and what it waits for itself. Another tab may have heard first that it
   * is stored; the text of one's own message comes from nowhere else. */
  get shown() {
    const kept = this.entries;
    const own = this.#inFlight;
    return !own || kept.some((entry) => entry.id === own.id) ? kept : [own, ...kept];
  }

  /** Why the first one was refused for good, {id, detail}, or null. Nothing moves until somebody decides. */
  get refusal() {
    const isKept = this.#refusal && this.#store.read(this.#prefix + this.#refusal.id, null);
    return isKept ? this.#refusal : null;
  }

  /** Whether the server asked to wait, in whatever tab. */
  get isHeld() {
    return this.#wait > 0;
  }

  /** Whole milliseconds, so that what is left is never more than was asked for by a fraction. More
   * is a clock that was set back, and nothing to go by. */
  get #wait() {
    const hold = this.#store.read(HOLD, null);
    const left = hold ? hold.until - Date.now() : 0;
    return left > hold?.length ? 0 : left;
  }

  add(message) {
    const order = 1 + Math.max(0, ...this.entries.map((entry) => entry.order));
    this.#keep({ id: newIdentifier(), message, at: new Date().toISOString(), order });
    this.#changed();
    this.flush();
  }

  flush() {
    if (this.#inFlight) return;
    const [entry] = this.entries;
    if (!entry || this.refusal) return this.#turn.give();
    if (this.isHeld) return this.#later(this.#wait);
    this.#store.remove(HOLD);
    if (!this.#turn.isMine) return this.#turn.take(() => this.flush());
    if (!this.#deliver(entry)) return this.#turn.give();
    this.#inFlight = entry;
    this.#later(ACK_PATIENCE);
  }

  /** The line went down: what was under way may or may not have arrived. */
  pause() {
    this.#stopWaiting();
    this.#turn.give();
  }

  /** Stored. Also true of what another tab has sent. */
  settle(id) {
    if (id === this.#inFlight?.id) {
      this.#stopWaiting();
      this.#failures = 0;
    }
    this.#store.remove(this.#prefix + id);
    this.#changed();
    this.flush();
  }

  refuse({ client_message_id: id, code, detail, retry_after: seconds }) {
    if (id !== this.#inFlight?.id) return;
    this.#stopWaiting();
    const wait = seconds ?? this.#tryLater(code);
    if (wait === undefined) this.#refusal = { id, code, detail };
    // Who was refused together does not come back together.
    else this.#hold(Math.ceil(wait * 1000 * (1 + Math.random() / 4)));
    this.#changed();
    this.flush();
  }

  retry() {
    // That id belongs to another text for ever.
    if (this.refusal?.code === "conflict") this.#rename(this.#refusal.id);
    this.#refusal = null;
    this.#changed();
    this.flush();
  }

  /** Takes a message out and gives its text back. */
  discard(id) {
    const message = this.#store.read(this.#prefix + id, null)?.message ?? "";
    this.settle(id);
    return message;
  }

  /** 0.2.0 kept what was unsent in a conversation as one list. It goes before what was written since. */
  #takeOver(name) {
    const list = this.#store.read(name, []);
    list.forEach((entry, place) => this.#keep({ ...entry, order: place - list.length }));
    this.#store.remove(name);
  }

  #tryLater(code) {
    const seconds = TRY_LATER[code];
    if (seconds === undefined) return undefined;
    this.#failures += 1;
    return Math.min(LONGEST, seconds * 2 ** (this.#failures - 1));
  }

  #hold(milliseconds) {
    this.#store.write(HOLD, { until: Date.now() + milliseconds, length: milliseconds });
  }

  #later(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#inFlight = null;
      this.#changed();
      this.flush();
    }, milliseconds);
  }

  #stopWaiting() {
    this.#inFlight = null;
    clearTimeout(this.#timer);
  }

  #rename(id) {
    const entry = this.#store.read(this.#prefix + id, null);
    this.#keep({ ...entry, id: newIdentifier() });
    this.#store.remove(this.#prefix + id);
  }

  #keep(entry) {
    this.#store.write(this.#prefix + entry.id, entry);
  }
}

/** By the place each was given: a device's clock may be set back between two of them. */
function compare(one, other) {
  return one.order - other.order || (one.at + one.id < other.at + other.id ? -1 : 1);
}
