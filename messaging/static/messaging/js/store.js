// What a person keeps on this device: drafts and unsent messages, each person's apart.
const ROOT = "trato.kept.";

const held = new Map(); // What the device does not take lives as long as the page.
const absent = new Set();
const WORTH_ASKING = /\.(outbox|draft)\./;

/** Whether this page is all that keeps something somebody has written. */
export const isHolding = () => [...held.keys()].some((key) => WORTH_ASKING.test(key));

export class Store {
  #person;
  #prefix;

  /** `person` is a user id, or "" for somebody who is not signed in. */
  constructor(person) {
    this.#person = person;
    this.#prefix = `${ROOT}${person}.`;
  }

  read(name, fallback) {
    return readKey(this.#prefix + name).value ?? fallback;
  }

  write(name, value) {
    const key = this.#prefix + name;
    const text = JSON.stringify({ at: Date.now(), value });
    held.set(key, text);
    if (!absent.has(this.#person) && keepOnDevice(key, text)) held.delete(key);
    guard();
  }

  remove(name) {
    removeKey(this.#prefix + name);
  }

  /** The names kept that start with `start`. */
  names(start) {
    return keysFrom(this.#prefix + start).map((key) => key.slice(this.#prefix.length));
  }

  /** What is older than `moment`, in milliseconds; without one, all of it. */
  forget(moment = Infinity) {
    for (const key of keysFrom(this.#prefix)) if (readKey(key).at < moment) removeKey(key);
  }

  /** The person has left this browser at that moment: it keeps nothing any more of what this page
   * writes for them. What is newer they have written since, signed in again. */
  leave(moment) {
    absent.add(this.#person);
    this.forget(moment);
  }

  /** The person is signed in here, perhaps again. */
  arrive() {
    absent.delete(this.#person);
  }

  /** Calls `listener` when another tab changes something whose name starts with `start`. */
  watch(start, listener) {
    window.addEventListener("storage", (event) => {
      if (event.key?.startsWith(this.#prefix + start)) listener();
    });
  }
}

/** {value, at}: what is kept there and since when, 0 where that is not known. Until 0.2.0 the value
 * stood there by itself. */
function readKey(key) {
  try {
    const kept = JSON.parse(held.get(key) ?? localStorage.getItem(key));
    return kept && Object.hasOwn(kept, "value") ? kept : { value: kept, at: 0 };
  } catch {
    return { at: 0 };
  }
}

/** Whether it could: the device may be full, or the browser forbid it. */
function keepOnDevice(key, text) {
  try {
    localStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}

/** Asks before the page goes, as long as what it holds would go with it: a page that might ask is
 * not kept for the back button. */
function guard() {
  if (isHolding()) window.addEventListener("beforeunload", askToStay);
  else window.removeEventListener("beforeunload", askToStay);
  document.dispatchEvent(new CustomEvent("messaging:held"));
}

const askToStay = (event) => event.preventDefault();

function keysFrom(start) {
  let kept = [];
  try {
    kept = Object.keys(localStorage);
  } catch {
    // Forbidden: there is what is held here.
  }
  return [...new Set([...held.keys(), ...kept])].filter((key) => key.startsWith(start));
}

function removeKey(key) {
  if (held.delete(key)) guard();
  try {
    localStorage.removeItem(key);
  } catch {
    // As above.
  }
}
