// One message on the page, made from the template that the server renders its own with.
import { byId, copyOf, phrase } from "./page.js";
import { signature } from "./people.js";
import { clockTime } from "./times.js";

const page = byId("thread").dataset;
const part = (element, name) => element.querySelector(`.message__${name}`);

/** From a `chat_message` or `message_changed` frame. */
export function renderMessage(frame, mine) {
  const element = copyOf("message-template");
  fillMessage(element, frame, mine);
  return element;
}

export function fillMessage(element, frame, mine) {
  element.id = `message-${frame.sequence}`;
  element.classList.toggle("message--own", mine);
  element.classList.toggle("message--system", frame.kind === "system");
  element.classList.toggle("message--deleted", frame.deleted);
  element.dataset.sender = frame.sender?.id ?? "";
  part(element, "author").textContent = mine ? phrase("you") : authorOf(frame);
  part(element, "body").textContent = frame.deleted ? phrase("deleted") : frame.message;
  part(element, "edited").hidden = !frame.edited_at || frame.deleted;
  confirmMessage(element, frame);
  if (!mine) part(element, "status").textContent = "";
}

/** From an entry of the outbox. */
export function renderPending(entry, sender) {
  const element = copyOf("message-template");
  element.classList.add("message--own");
  element.dataset.sender = sender;
  element.dataset.clientMessageId = entry.id;
  part(element, "author").textContent = phrase("you");
  part(element, "body").textContent = entry.message;
  setTime(element, entry.at);
  return element;
}

/** Stored: gets its number, its time and its place from an `ack` or a frame. */
export function confirmMessage(element, { id, sequence, revision, created_at, client_message_id }) {
  element.id = `message-${sequence}`;
  const known = Number(element.dataset.revision); // An answer may come after what came after it.
  Object.assign(element.dataset, { id, sequence, revision: Math.max(known, revision) });
  if (client_message_id) element.dataset.clientMessageId = client_message_id;
  setTime(element, created_at);
  delete element.dataset.state;
  part(element, "choices").replaceChildren();
  part(element, "status").textContent = phrase("sent");
}

const CHOICES = { failed: "choices-template", gone: "gone-template" };

/** `state`: sending, waiting, held, failed or gone; `detail` says why it failed. */
export function showPending(element, state, detail) {
  if (element.dataset.state === state && !detail) return;
  element.dataset.state = state;
  part(element, "status").textContent = phrase(state) + (detail ? `: ${detail}` : "");
  part(element, "choices").replaceChildren();
  if (state in CHOICES) part(element, "choices").append(byId(CHOICES[state]).content.cloneNode(true));
}

/** One's own change, as soon as it is stored. False if the page shows something newer already. */
export function editedMessage(element, text, revision) {
  if (!takeRevision(element, revision)) return false;
  part(element, "body").textContent = text;
  part(element, "edited").hidden = false;
  return true;
}

export function deletedMessage(element, revision) {
  if (!takeRevision(element, revision)) return false;
  element.classList.add("message--deleted");
  part(element, "body").textContent = phrase("deleted");
  part(element, "edited").hidden = true;
  return true;
}

/** Says or hides who wrote it; screen readers hear it always. */
export function showAuthor(element, shown) {
  part(element, "author").classList.toggle("visually-hidden", !shown);
}

export function showRead(element) {
  part(element, "status").textContent = phrase("read");
}

export const sentAt = (element) => new Date(element.querySelector("time").dateTime);

function authorOf({ sender, username }) {
  return signature(page, { id: sender?.id, name: username, role: sender?.role });
}

/** An answer and a frame tell of the same change, in any order and with others in between. */
function takeRevision(element, revision) {
  if (revision < Number(element.dataset.revision)) return false;
  element.dataset.revision = revision;
  return true;
}

function setTime(element, moment) {
  const time = element.querySelector("time");
  time.dateTime = moment;
  time.textContent = clockTime(new Date(moment));
}
