// The box beside a listing: suggestions fill it, and what was begun stays on the device until the
// conversation shows that it has arrived (sent_asks.js).
import { newIdentifier } from "./identifiers.js";
import { userId } from "./page.js";
import { Store } from "./store.js";

const form = document.getElementById("ask-form");
const field = form.elements.message;
const identifier = form.elements.client_message_id;
const store = new Store(userId);
const name = `ask.${new URL(form.action).pathname}`;

const kept = store.read(name, null);
// A text that came back from the server is newer than what is kept here.
if (kept && !field.value) {
  field.value = kept.text;
  identifier.value = kept.id;
}
let sent = kept?.sent ?? false;

function keep() {
  if (!field.value.trim()) return store.remove(name);
  // Once sent, the id belongs to that text: another text is another message.
  if (sent) identifier.value = newIdentifier();
  sent = false;
  store.write(name, { text: field.value, id: identifier.value, sent });
}

function suggest(event) {
  const chip = event.target.closest(".chip");
  if (!chip) return;
  field.value = [field.value.trim(), chip.textContent.trim()].filter(Boolean).join(" ");
  keep();
  field.focus();
}

field.addEventListener("input", keep);
document.getElementById("ask-suggestions").addEventListener("click", suggest);
form.addEventListener("submit", () => {
  sent = true;
  store.write(name, { text: field.value, id: identifier.value, sent });
});
