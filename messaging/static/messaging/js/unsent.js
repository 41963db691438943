// What somebody has written goes out from every page of theirs, not from its own thread alone; and
// while it does not, every page says so.
import { copyText } from "./copying.js";
import { Courier } from "./courier.js";
import { byId, copyOf, userId } from "./page.js";
import { Store } from "./store.js";
import { gather } from "./throttle.js";

const PATIENCE = 2_000; // milliseconds: most of it is sent by then
const PRECEDENCE = 3_000; // A thread that is open in another tab sends its own.

const store = new Store(userId);
const couriers = new Map();
const addressOf = (conversation) => byId("unsent-template").dataset.url.replace("conversation-id", conversation);
// This page's own thread sends, and shows, what is its own.
const own = byId("thread")?.dataset.conversation;

let isPatient = true;
let shown = "";

function walk() {
  for (const conversation of findWaiting()) {
    if (!couriers.has(conversation)) engage(conversation);
  }
  show();
}

function findWaiting() {
  const conversations = store.names("outbox.").map((name) => name.split(".")[1]);
  return new Set(conversations.filter((each) => each !== own));
}

function engage(conversation) {
  const courier = new Courier({ store, conversation, url: addressOf(conversation), changed: show });
  couriers.set(conversation, courier);
  courier.start();
}

function startAll() {
  for (const courier of couriers.values()) courier.start();
  walk();
}

function restAll() {
  for (const courier of couriers.values()) courier.rest();
}

// What the page says: in the list of conversations beside each, else in lines of their own

function show() {
  const waiting = findWaiting();
  for (const row of findRows()) row.toggleAttribute("data-unsent", waiting.has(conversationOf(row)));
  if (!isPatient) showLines(findLines(waiting));
}

const findRows = () => document.querySelectorAll(".rows > [id^='conversation-']");
const conversationOf = (row) => row.id.slice("conversation-".length);

/** [{conversation, id, message, state, detail}]: where nothing can be sent any more all of it is to
 * be had, else the first stands for the others. */
function findLines(waiting) {
  const seen = new Set([...findRows()].filter((row) => row.getClientRects().length).map(conversationOf));
  const lines = [];
  for (const conversation of waiting) {
    const courier = couriers.get(conversation);
    if (!courier || (seen.has(conversation) && !courier.isGone)) continue;
    const { entries, refusal, isGone } = courier;
    const state = isGone ? "gone" : refusal ? "failed" : "waiting";
    const told = isGone ? entries : entries.slice(0, 1);
    for (const { id, message } of told) lines.push({ conversation, id, message, state, detail: refusal?.detail });
  }
  return lines;
}

function showLines(lines) {
  const told = JSON.stringify(lines);
  if (told === shown) return;
  shown = told;
  const section = byId("unsent") ?? addSection();
  section.hidden = !lines.length;
  section.querySelector("ul").replaceChildren(...lines.map(renderLine));
}

function addSection() {
  const section = copyOf("unsent-template");
  (document.querySelector("[data-unsent-here]") ?? document.querySelector("main") ?? document.body).prepend(section);
  if (!section.closest("[role='status']")) section.setAttribute("role", "status");
  section.addEventListener("click", choose);
  return section;
}

function renderLine({ conversation, id, message, state, detail }) {
  const line = copyOf("unsent-line-template");
  Object.assign(line.dataset, { state, conversation, id });
  for (const part of line.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
  line.querySelector("[data-detail]").textContent = detail ? `: ${detail}` : "";
  line.querySelector(".unsent__text").textContent = message;
  line.querySelector("a").href = couriers.get(conversation).url;
  line.querySelector("a").hidden = state === "gone";
  return line;
}

function choose(event) {
  const choice = event.target.closest("[data-choice]")?.dataset.choice;
  const line = event.target.closest("li");
  if (choice === "copy") copyText(line.querySelector(".unsent__text"));
  if (choice === "delete") couriers.get(line.dataset.conversation).discard(line.dataset.id);
}

for (const name of ["online", "focus"]) window.addEventListener(name, startAll);
window.addEventListener("pageshow", (event) => event.persisted && startAll());
// A page whose turn it is to send is not kept for the back button.
window.addEventListener("pagehide", restAll);
document.addEventListener("visibilitychange", () => document.hidden || startAll());
document.addEventListener("messaging:left", show);
store.watch("outbox.", gather(walk, PRECEDENCE));
for (const list of document.querySelectorAll("[data-rows]")) {
  new MutationObserver(show).observe(list, { childList: true });
}
setTimeout(() => {
  isPatient = false;
  show();
}, PATIENCE);
walk();
