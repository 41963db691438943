// Editing and deleting what one has written, in its place on the page and as long as there is time.
// The same links lead to pages of their own where no script runs.
import { postJson } from "./api.js";
import { deletedMessage, editedMessage, sentAt } from "./message_view.js";
import { say } from "./notices.js";
import { copyOf, phrase } from "./page.js";

const LOOK_EVERY = 5_000; // milliseconds: how late a passed time may hide what it allowed

const touch = matchMedia("(hover: none) and (pointer: coarse)");
const part = (message, name) => message.querySelector(`.message__${name}`);

export class MessageChanges {
  #messages;
  #page;
  #ahead;
  #goBack;
  #open = null; // {message, form, back}

  /** `page`: the thread's data: where messages are, for how long each way of changing them stays
   * open, and what time it was. `goBack()` takes the focus when there is nothing left to return to. */
  constructor({ messages, page, goBack }) {
    this.#messages = messages;
    this.#page = page;
    this.#ahead = readClock(page.now);
    this.#goBack = goBack;
    messages.addEventListener("click", (event) => this.#click(event));
    setInterval(() => this.look(), LOOK_EVERY);
  }

  /** Offers what is possible now, and no more. */
  look() {
    if (this.#open?.message.classList.contains("message--deleted")) this.#leave();
    for (const menu of this.#messages.querySelectorAll(".message__menu")) {
      if (!menu.open) this.#offer(menu, menu.closest(".message"));
    }
  }

  /** Opens the newest of one's own messages that may still be edited. False without one. */
  editLast() {
    const own = [...this.#messages.querySelectorAll(".message--own:not(.message--deleted)")];
    const last = own.findLast((each) => each.dataset.sequence && !each.dataset.state);
    if (!last || !this.#hasTime(last, "edit")) return false;
    this.#edit(last, null);
    return true;
  }

  #offer(menu, message) {
    const { sequence, state } = message.dataset;
    const settled = sequence && !state && !message.classList.contains("message--deleted");
    const own = message.classList.contains("message--own");
    menu.hidden = !settled || !own || !this.#hasTime(message, "delete");
    if (menu.hidden) return;
    for (const link of menu.querySelectorAll("a[data-action]")) {
      link.href = this.#address(message, link.dataset.action);
      link.hidden = !this.#hasTime(message, link.dataset.action);
    }
  }

  #hasTime(message, action) {
    const seconds = Number(this.#page[`${action}Seconds`]);
    return (Date.now() - this.#ahead - sentAt(message)) / 1000 < seconds;
  }

  #address(message, action) {
    return `${this.#page.messagesUrl}${message.dataset.sequence}/${action}/`;
  }

  #click(event) {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (!action || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const message = event.target.closest(".message");
    if (action === "edit") this.#edit(message, part(message, "menu"));
    if (action === "delete") this.#askToDelete(message);
    if (action === "leave") this.#leave();
  }

  // One at a time is open: a text being edited, or the question whether to delete

  #start(message, form, back) {
    this.#close();
    if (back) back.open = false;
    this.#open = { message, form, back };
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("keydown", (event) => event.key === "Escape" && this.#leave());
  }

  #edit(message, back) {
    const form = copyOf("edit-template");
    const { text: field } = form.elements;
    this.#start(message, form, back);
    field.value = part(message, "body").textContent;
    message.classList.add("message--changing");
    part(message, "line").hidden = true;
    part(message, "line").after(form);
    form.addEventListener("submit", () => this.#save(message, form));
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch.matches) return;
      event.preventDefault();
      form.requestSubmit();
    });
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  #askToDelete(message) {
    const form = copyOf("delete-template");
    this.#start(message, form, part(message, "menu"));
    part(message, "line").after(form);
    form.addEventListener("submit", () => this.#delete(message, form));
    form.querySelector("[type='submit']").focus();
  }

  async #save(message, form) {
    const text = form.elements.text.value.trim();
    if (text === part(message, "body").textContent) return this.#leave();
    const revision = await this.#send(message, form, "edit", { message: text });
    if (!revision) return;
    this.#finish(form, editedMessage(message, text, revision) && "savedChange");
  }

  async #delete(message, form) {
    const revision = await this.#send(message, form, "delete", {});
    if (!revision) return;
    this.#finish(form, deletedMessage(message, revision) && "savedDeletion");
  }

  /** The revision of the change, or nothing: then the form says why, and keeps what is in it. */
  async #send(message, form, action, fields) {
    if (form.ariaBusy === "true") return undefined;
    form.ariaBusy = "true";
    const { status, body } = await postJson(this.#address(message, action), fields);
    form.ariaBusy = "false";
    if (status === 200) return body.revision;
    const errors = form.querySelector(".errors");
    errors.textContent = body.detail ?? phrase(status ? "refused" : "notReached");
    errors.hidden = false;
    form.elements.text?.focus();
    return undefined;
  }

  #finish(form, word) {
    if (this.#open?.form === form) this.#leave();
    this.look();
    if (word) say(phrase(word));
  }

  /** Closes, and gives the focus back to where it came from. */
  #leave() {
    const { form, back, message } = this.#open;
    const hasFocus = form.contains(document.activeElement);
    this.#close();
    if (!hasFocus) return;
    if (back && !message.classList.contains("message--deleted")) back.querySelector("summary").focus();
    else this.#goBack();
  }

  #close() {
    if (!this.#open) return;
    const { message, form } = this.#open;
    this.#open = null;
    form.remove();
    part(message, "line").hidden = false;
    message.classList.remove("message--changing");
  }
}

/** How many milliseconds this device's clock is ahead of the server's. */
function readClock(now) {
  const [page] = performance.getEntriesByType("navigation");
  return performance.timeOrigin + (page?.responseStart ?? 0) - new Date(now);
}
