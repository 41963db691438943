// Loads what was said before, when somebody scrolls up to it. Without scripts it is a plain link.
import { getJson } from "./api.js";

const AHEAD = "400px 0px"; // Loading starts a little before the top comes into view.

export class OlderMessages {
  #link;
  #messagesUrl;
  #list;
  #show;
  #busy = false;

  /** `show(frames)` puts them on the page. */
  constructor({ link, root, messagesUrl, list, show }) {
    this.#link = link;
    this.#messagesUrl = messagesUrl;
    this.#list = list;
    this.#show = show;
    link.addEventListener("click", (event) => this.#click(event));
    const seen = ([entry]) => entry.isIntersecting && this.#load();
    new IntersectionObserver(seen, { root, rootMargin: AHEAD }).observe(link);
  }

  #click(event) {
    event.preventDefault();
    this.#load();
  }

  async #load() {
    if (this.#busy || !this.#link.isConnected) return;
    this.#busy = true;
    this.#link.setAttribute("aria-busy", "true");
    const { status, body } = await getJson(`${this.#messagesUrl}?before=${this.#list.oldest}`);
    this.#link.removeAttribute("aria-busy");
    this.#busy = false;
    if (status !== 200) return;
    this.#show(body.results);
    if (this.#list.oldest <= 1 || !body.results.length) this.#link.remove();
  }
}
