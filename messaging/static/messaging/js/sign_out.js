// Who signs out leaves nothing of theirs on the device, in whatever tab they have written it. Not
// before they are known to be out: without an answer everything stays. What others have written with
// this browser is theirs.
import { byId, userId } from "./page.js";
import { Store } from "./store.js";

const LEFT = "trato.left"; // {person, at}: who signed out last, and when, for their other tabs
const DEADLINE = 15_000; // milliseconds

const ends = [...document.querySelectorAll("form[data-sign-out]")].map((form) => form.action);
const leftBefore = whenLeft();
const store = new Store(userId);

function whenLeft() {
  try {
    return localStorage.getItem(LEFT);
  } catch {
    return null;
  }
}

async function signOut(form) {
  const { askFirst, noAnswer, refused } = byId("unsent-template").dataset;
  if (store.names("outbox.").length && !confirm(askFirst)) return;
  const answer = await send(form);
  if (!answer) return alert(noAnswer);
  if (!answer.ok && answer.type !== "opaqueredirect") return alert(refused);
  leave();
  tellOtherTabs();
  location.assign(form.dataset.signOut || "/");
}

async function send(form) {
  try {
    // Where it leads may have something to say once: that is for the page that opens then.
    const options = { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" };
    return await fetch(form.action, { ...options, signal: AbortSignal.timeout(DEADLINE) });
  } catch {
    return null;
  }
}

function tellOtherTabs() {
  try {
    localStorage.setItem(LEFT, JSON.stringify({ person: userId, at: Date.now() }));
  } catch {
    // Then nothing was kept either.
  }
}

/** A tab may hear of it late: what is newer than that has been written by somebody who is back. */
function hear(text) {
  const { person, at } = JSON.parse(text);
  if (person === userId) leave(at);
}

function leave(moment) {
  store.leave(moment);
  new Store("").forget(moment);
  for (const field of document.querySelectorAll("textarea")) field.value = "";
  document.dispatchEvent(new CustomEvent("messaging:left"));
}

document.addEventListener("submit", (event) => {
  if (!ends.includes(event.target.action)) return;
  event.preventDefault();
  signOut(event.target);
});
window.addEventListener("storage", (event) => {
  if (event.key === LEFT && event.newValue) hear(event.newValue);
});
// A page that the browser kept for its back button may be the page of somebody who has gone.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && whenLeft() !== leftBefore) location.reload();
});
