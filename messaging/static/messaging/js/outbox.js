// Messages that are not known to be stored. They are kept on the device and go out one at a time,
// in order, each under the id it was born with: however often it is sent, it is stored once.
import { newIdentifier } from "./identifiers.js";

const ACK_PATIENCE = 15_000; // milliseconds; then the same goes out again
const TRY_LATER = { rate_limited: 5, unavailable: 3 }; // seconds, where the server names none

export class Outbox {
  #store;
  #name;
  #deliver;
  #changed;
  #inFlight = "";
  #timer;
  #refusal = null;
  #holdUntil = 0;

  /** `deliver(entry)` hands one to the line and says whether there is one. `changed()` is called
   * when what `entries` or `refusal` tell has changed. */
  constructor({ store, conversation, deliver, changed }) {
    this.#store = store;
    this.#name = `outbox.${conversation}`;
    this.#deliver = deliver;
    this.#changed = changed;
    store.watch(this.#name, changed);
  }

  /** [{id, message, at}], oldest first. */
  get entries() {
    return this.#store.read(this.#name, []);
  }

  /** Why the first one was refused for good, {id, detail}, or null. Nothing moves until somebody decides. */
  get refusal() {
    return this.#refusal;
  }

  add(message) {
    this.#save([...this.entries, { id: newIdentifier(), message, at: new Date().toISOString() }]);
    this.#changed();
    this.flush();
  }

  flush() {
    const [entry] = this.entries;
    if (!entry || this.#inFlight || this.#refusal) return;
    const wait = this.#holdUntil - Date.now();
    if (wait > 0) return this.#later(wait);
    if (!this.#deliver(entry)) return;
    this.#inFlight = entry.id;
    this.#later(ACK_PATIENCE);
  }

  /** The line went down: what was under way may or may not have arrived. */
  pause() {
    this.#inFlight = "";
    clearTimeout(this.#timer);
  }

  /** Stored. Also true of what another tab has sent. */
  settle(id) {
    const rest = this.entries.filter((entry) => entry.id !== id);
    if (id === this.#refusal?.id) this.#refusal = null;
    if (id === this.#inFlight) this.pause();
    this.#save(rest);
    this.#changed();
    this.flush();
  }

  refuse({ client_message_id: id, code, detail, retry_after: seconds }) {
    if (id !== this.#inFlight) return;
    this.pause();
    const wait = seconds ?? TRY_LATER[code];
    if (wait === undefined) this.#refusal = { id, code, detail };
    else this.#holdUntil = Date.now() + wait * 1000;
    this.#changed();
    this.flush();
  }

  retry() {
    // That id belongs to another text for ever.
    if (this.#refusal?.code === "conflict") this.#rename(this.#refusal.id);
    this.#refusal = null;
    this.#changed();
    this.flush();
  }

  /** Takes a message out and gives its text back. */
  discard(id) {
    const entry = this.entries.find((each) => each.id === id);
    this.settle(id);
    return entry?.message ?? "";
  }

  #later(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#inFlight = "";
      this.flush();
    }, milliseconds);
  }

  #rename(id) {
    const rename = (entry) => (entry.id === id ? { ...entry, id: newIdentifier() } : entry);
    this.#save(this.entries.map(rename));
  }

  #save(entries) {
    if (entries.length) this.#store.write(this.#name, entries);
    else this.#store.remove(this.#name);
  }
}
