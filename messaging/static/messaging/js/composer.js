// The box one writes in. Enter sends where there are keys; on a touch keyboard the button does.
import { Draft } from "./draft.js";
import { limit } from "./throttle.js";

const LONGEST = 4_000; // code points, as the server counts
const COUNT_FROM = 3_800;
const TYPING_EVERY = 3_000; // milliseconds

const touch = matchMedia("(hover: none) and (pointer: coarse)");
const growsByItself = CSS.supports("field-sizing", "content");
const lengthOf = (text) => [...text.normalize("NFC").trim()].length;

export class Composer {
  #form;
  #field;
  #draft;
  #send;
  #editLast;
  #sayTyping;

  /** `send(text)` takes what was written; `typing()` is called while somebody writes; `editLast()`
   * goes back to the last message, and says whether there is one to go back to. */
  constructor({ form, store, name, send, typing, editLast }) {
    this.#form = form;
    this.#field = form.elements.message;
    this.#draft = new Draft({ field: this.#field, store, name });
    this.#send = send;
    this.#editLast = editLast;
    this.#sayTyping = limit(typing, TYPING_EVERY);
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#field.addEventListener("keydown", (event) => this.#press(event));
    this.#field.addEventListener("input", () => this.#write());
    this.#fit();
  }

  /** Puts a text back in front of whatever is in the box. */
  takeBack(text) {
    this.#field.value = [text, this.#field.value].filter(Boolean).join("\n");
    this.#changed();
    this.#field.focus();
  }

  focus() {
    if (!touch.matches) this.#field.focus({ preventScroll: true });
  }

  #write() {
    this.#fit();
    if (this.#field.value.trim()) this.#sayTyping();
  }

  #press(event) {
    const plain = !(event.shiftKey || event.altKey || event.ctrlKey || event.metaKey);
    if (event.key === "ArrowUp" && plain && !this.#field.value && this.#editLast()) event.preventDefault();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch.matches) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#field.value.trim();
    if (!text || lengthOf(text) > LONGEST) return this.#field.focus();
    this.#send(text); // It is kept before it goes from here.
    this.#field.value = "";
    this.#changed();
    this.#form.querySelector(".errors")?.remove();
    this.#field.removeAttribute("aria-invalid");
  }

  #changed() {
    this.#draft.keep();
    this.#fit();
  }

  #fit() {
    const length = lengthOf(this.#field.value);
    const count = this.#form.querySelector(".composer__count");
    count.hidden = length < COUNT_FROM;
    count.textContent = `${length} / ${LONGEST}`;
    count.classList.toggle("composer__count--over", length > LONGEST);
    if (growsByItself) return;
    this.#field.style.blockSize = "auto";
    this.#field.style.blockSize = `${this.#field.scrollHeight}px`;
  }
}
