// Tells screen readers what arrives, once and politely. History and own messages are not news.
import { phrase } from "./page.js";

const KEPT = 10_000; // milliseconds, long enough to be read out
const MOST = 5; // After a long absence the rest is read on the page.

export class Announcer {
  #region;

  constructor(region) {
    this.#region = region;
  }

  announce({ username, message }) {
    if (!this.#region || this.#region.childElementCount >= MOST) return;
    const line = document.createElement("p");
    line.textContent = phrase("announcement", { s: username, n: message });
    this.#region.append(line);
    setTimeout(() => line.remove(), KEPT);
  }
}
