// Starred, muted, archived: a button says it to the server, and every tab of the person follows.
// Without scripts the same buttons send a form.
import { postJson } from "./api.js";
import { say, showNotice } from "./notices.js";
import { phrase } from "./page.js";

const FLAGS = ["archived", "starred", "muted"];

const form = document.getElementById("flags");

/** `place`: a frame, or the answer to a change; or what is known of one. */
export function showPlace(place) {
  const here = `[data-of="${CSS.escape(place.conversation)}"]`;
  for (const flag of FLAGS.filter((each) => each in place)) {
    const on = place[flag];
    for (const button of document.querySelectorAll(`[data-flag="${flag}"]${here}`)) turn(button, on);
    for (const mark of document.querySelectorAll(`[data-mark="${flag}"]${here}`)) mark.hidden = !on;
  }
}

function turn(button, on) {
  button.value = on ? "0" : "1";
  for (const label of button.querySelectorAll("[data-when]")) {
    label.hidden = (label.dataset.when === "on") !== on;
  }
}

async function change(event) {
  const button = event.submitter;
  if (!button?.dataset.flag) return;
  event.preventDefault();
  const { status, body } = await postJson(button.formAction, { on: button.value });
  if (status !== 200) return showNotice("refused", body.detail ?? phrase(status ? "refused" : "notReached"));
  showPlace(body);
  offerUndo(button, body);
  button.closest("details")?.removeAttribute("open");
  keepFocus(button);
  say(phrase("done"));
  document.dispatchEvent(new CustomEvent("messaging:place"));
}

/** What leaves a list can be brought back right there. A thread says that it is archived itself. */
function offerUndo(button, place) {
  const leaves = button.dataset.flag === "archived" && place.archived && button.closest("[data-rows]");
  const undo = showNotice(leaves ? "archived" : "")?.querySelector("button");
  undo?.setAttribute("formaction", button.getAttribute("formaction"));
}

/** A button that has gone with what it did leaves the focus close by. */
function keepFocus(button) {
  if (button.checkVisibility()) return;
  document.querySelector(".card__menu summary, #conversation-tabs [aria-current]")?.focus();
}

form?.addEventListener("submit", change);
