// Brings earlier conversations under the list, in place of a page of their own.
import { getPage } from "./api.js";

export class MoreRows {
  #list;
  #link;
  #busy = false;
  isExtended = false;

  constructor(list, link) {
    this.#list = list;
    this.#link = link;
    link?.addEventListener("click", (event) => this.#click(event));
  }

  #click(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    this.#load();
  }

  async #load() {
    if (this.#busy) return;
    this.#busy = true;
    const fresh = await getPage(this.#link.href);
    this.#busy = false;
    if (!fresh) return location.assign(this.#link.href);
    this.isExtended = true;
    this.#append([...(fresh.querySelector("[data-rows]")?.children ?? [])]);
    this.#point(fresh.querySelector("[data-more]"));
  }

  #append(rows) {
    const added = rows.filter((row) => !document.getElementById(row.id));
    this.#list.append(...added);
    added[0]?.firstElementChild.focus({ preventScroll: true });
  }

  #point(next) {
    if (next) this.#link.href = next.href;
    else this.#link.remove();
  }
}
