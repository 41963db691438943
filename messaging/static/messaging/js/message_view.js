// One message on the page, made from the template that the server renders its own with.
import { phrase } from "./page.js";
import { clockTime } from "./times.js";

const template = document.getElementById("message-template");
const choices = document.getElementById("choices-template");
const part = (element, name) => element.querySelector(`.message__${name}`);

/** From a `chat_message` or `message_changed` frame. */
export function renderMessage(frame, mine) {
  const element = template.content.querySelector(".message").cloneNode(true);
  fillMessage(element, frame, mine);
  return element;
}

export function fillMessage(element, frame, mine) {
  element.id = `message-${frame.sequence}`;
  element.classList.toggle("message--own", mine);
  element.classList.toggle("message--system", frame.kind === "system");
  element.classList.toggle("message--deleted", frame.deleted);
  element.dataset.sender = frame.sender?.id ?? "";
  part(element, "author").textContent = mine ? phrase("you") : frame.username;
  part(element, "body").textContent = frame.deleted ? phrase("deleted") : frame.message;
  part(element, "edited").hidden = !frame.edited_at || frame.deleted;
  confirmMessage(element, frame);
  if (!mine) part(element, "status").textContent = "";
}

/** From an entry of the outbox. */
export function renderPending(entry, sender) {
  const element = template.content.querySelector(".message").cloneNode(true);
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
  Object.assign(element.dataset, { id, sequence, revision });
  if (client_message_id) element.dataset.clientMessageId = client_message_id;
  setTime(element, created_at);
  delete element.dataset.state;
  part(element, "choices").replaceChildren();
  part(element, "status").textContent = phrase("sent");
}

/** `state`: sending, waiting or failed; `detail` says why it failed. */
export function showPending(element, state, detail) {
  if (element.dataset.state === state && !detail) return;
  element.dataset.state = state;
  part(element, "status").textContent = phrase(state) + (detail ? `: ${detail}` : "");
  part(element, "choices").replaceChildren();
  if (state === "failed") part(element, "choices").append(choices.content.cloneNode(true));
}

/** One's own change, as soon as it is stored. */
export function editedMessage(element, text, revision) {
  element.dataset.revision = revision;
  part(element, "body").textContent = text;
  part(element, "edited").hidden = false;
}

export function deletedMessage(element, revision) {
  element.dataset.revision = revision;
  element.classList.add("message--deleted");
  part(element, "body").textContent = phrase("deleted");
  part(element, "edited").hidden = true;
}

export function showRead(element) {
  part(element, "status").textContent = phrase("read");
}

export const sentAt = (element) => new Date(element.querySelector("time").dateTime);

function setTime(element, moment) {
  const time = element.querySelector("time");
  time.dateTime = moment;
  time.textContent = clockTime(new Date(moment));
}
