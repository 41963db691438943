// Where one writes, or why one cannot, and whom it is with. Frames say that this may have changed; the
// page itself, asked for again, says how. So every sentence about it is made by the server.
import { getPage } from "./api.js";
import { mergeLiveParts } from "./live_parts.js";
import { say } from "./notices.js";
import { byId } from "./page.js";
import { gather } from "./throttle.js";

const SETTLE = 200; // milliseconds: a burst is one question
const TAKEN_OVER = ["participants", "hasCompany", "other", "editSeconds"];

export class Standing {
  #page;
  #compose;
  #keep;
  #renewed;
  #form = byId("composer");
  #composer;
  #look = gather(() => this.#renew(), SETTLE);

  /** `page`: the thread's data; `compose(form)` gives a form its composer; `keep(text)` adds to what
   * has been begun where there is none, and gives back all of it; `renewed(page)` gets the fresh copy
   * of the page once what is here has been taken over from it. */
  constructor({ page, compose, keep, renewed }) {
    this.#page = page;
    this.#compose = compose;
    this.#keep = keep;
    this.#renewed = renewed;
    this.#composer = this.#form && compose(this.#form);
  }

  look() {
    this.#look();
  }

  focus() {
    if (this.#form && !this.#form.hidden) this.#composer.focus();
    else byId("log").focus({ preventScroll: true });
  }

  takeBack(text) {
    if (this.#composer) this.#composer.takeBack(text);
    this.#keepInView(this.#composer ? this.#form.elements.message.value : this.#keep(text));
  }

  close() {
    if (!this.#form || this.#form.hidden) return;
    const hadFocus = this.#form.contains(document.activeElement);
    this.#form.hidden = true;
    if (hadFocus) this.focus();
  }

  async #renew() {
    const fresh = await getPage(this.#page.url);
    const thread = fresh?.getElementById("thread");
    if (!thread) return;
    for (const name of TAKEN_OVER) this.#page[name] = thread.dataset[name];
    mergeLiveParts(fresh);
    this.#place(fresh.getElementById("composer"), fresh.getElementById("closed"));
    this.#renewed(fresh);
  }

  #place(form, closed) {
    const before = byId("closed")?.querySelector("p").textContent;
    byId("closed")?.remove();
    if (form) return this.#open(form);
    this.close();
    byId("jump").after(closed);
    this.#keepInView();
    const sentence = closed.querySelector("p").textContent;
    if (sentence !== before) say(sentence);
  }

  #open(form) {
    if (this.#form) this.#form.hidden = false;
    else {
      byId("jump").after(form);
      this.#form = form;
      this.#composer = this.#compose(form);
    }
  }

  /** What has been begun stays to be seen where it cannot be sent. */
  #keepInView(text = this.#form?.elements.message.value) {
    const closed = byId("closed");
    if (!closed || !text) return;
    const draft = closed.querySelector(".closed__draft") ?? document.createElement("p");
    draft.className = "closed__draft";
    draft.dir = "auto";
    draft.textContent = text;
    closed.append(draft);
  }
}
