// A text that goes nowhere from here: taken along, to be put somewhere else.
import { say } from "./notices.js";
import { phrase } from "./page.js";

/** Where the browser gives no clipboard (plain http), the text is marked for its own way of copying. */
export async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    say(phrase("copied"));
  } catch {
    getSelection().selectAllChildren(element);
  }
}
