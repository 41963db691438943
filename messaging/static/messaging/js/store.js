// What a person keeps on this device: drafts and unsent messages, each person's apart.
const ROOT = "trato.kept";

export class Store {
  #prefix;

  /** `person` is a user id, or "" for somebody who is not signed in. */
  constructor(person) {
    this.#prefix = `${ROOT}.${person}.`;
  }

  read(name, fallback) {
    try {
      return JSON.parse(localStorage.getItem(this.#prefix + name)) ?? fallback;
    } catch {
      return fallback;
    }
  }

  write(name, value) {
    try {
      localStorage.setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      // Full or forbidden: what is on screen is all there is.
    }
  }

  remove(name) {
    try {
      localStorage.removeItem(this.#prefix + name);
    } catch {
      // As above.
    }
  }

  /** The names kept that start with `start`. */
  names(start) {
    try {
      const prefix = this.#prefix + start;
      const kept = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
      return kept.map((key) => key.slice(this.#prefix.length));
    } catch {
      return [];
    }
  }

  forget() {
    for (const name of this.names("")) this.remove(name);
  }

  /** Calls `listener` when another tab changes `name`. */
  watch(name, listener) {
    window.addEventListener("storage", (event) => {
      if (event.key === this.#prefix + name) listener();
    });
  }
}
