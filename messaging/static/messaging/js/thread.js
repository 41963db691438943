// A conversation's page: the room on the line, what is on screen, and what still has to go out.
import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { ConnectionLine } from "./connection_line.js";
import { copyText } from "./copying.js";
import { DeviceLine } from "./device_line.js";
import { showPlace } from "./flags.js";
import { MessageChanges } from "./message_changes.js";
import { MessageList } from "./message_list.js";
import { showPending } from "./message_view.js";
import "./menus.js";
import { OlderMessages } from "./older_messages.js";
import { Outbox } from "./outbox.js";
import { say } from "./notices.js";
import { byId, phrase, userId } from "./page.js";
import { Members, Presence, TypingSign } from "./people.js";
import { ReadTracker } from "./read_tracker.js";
import { Room } from "./room.js";
import { ScrollKeeper } from "./scroll_keeper.js";
import { forgetSentAsks } from "./sent_asks.js";
import { Standing } from "./standing.js";
import { Store } from "./store.js";

const page = byId("thread").dataset;
const { conversation, messagesUrl, readUrl } = page;
const store = new Store(userId);
const draftName = `draft.${conversation}`;

let othersRead = Number(page.readByOthers);
let isUp = false;
let isGone = false;

const list = new MessageList(byId("messages"), userId, page);
const line = new ConnectionLine(byId("connection-line"), (reason) => reason && presence.hide());
const announcer = new Announcer(byId("announcements"));
const members = new Members(page);
const presence = new Presence(byId("presence"));
const typingSign = new TypingSign(byId("typing"));

const keeper = new ScrollKeeper({
  log: byId("log"),
  end: byId("log-end"),
  jump: byId("jump"),
  moved: () => tracker.look(),
});

const room = new Room({
  conversation,
  revision: Number(page.revision),
  messagesUrl,
  readUrl,
  listener: {
    chat_message: (frame) => receive(frame),
    message_changed: (frame) => change(frame),
    ack: (frame) => acknowledge(frame),
    error: (frame) => refuse(frame),
    read: (frame) => read(frame.user, frame.sequence),
    typing: (frame) => String(frame.user) !== userId && showTyping(frame),
    participants: (frame) => meet(frame.participants),
    place: (frame) => showPlace(frame),
    presence: (frame) => showPresence({ ...frame, id: frame.user }),
    ready: (frame) => arrive(frame.participants),
    up: () => goOn(),
    down: (reason) => stop(reason),
  },
});

const tracker = new ReadTracker({
  sequence: Number(page.readSequence),
  newest: () => list.newestOfOthers,
  inView: () => keeper.atEnd,
  send: (sequence) => sayRead(sequence),
});

const outbox = new Outbox({
  store,
  person: userId,
  conversation,
  deliver,
  changed: () => showOutbox(),
});

const standing = new Standing({
  page,
  compose: (form) =>
    new Composer({
      form,
      store,
      name: draftName,
      send: (text) => send(text),
      typing: () => room.send({ type: "typing" }),
      editLast: () => changes.editLast(),
    }),
  keep: (text) => keepDraft(text),
  renewed: (fresh) => renew(fresh),
});

const changes = new MessageChanges({
  messages: byId("messages"),
  page,
  goBack: () => standing.focus(),
});

// What comes in

function receive(frame) {
  const mine = list.isMine(frame);
  if (isFarBack(frame)) return mine && settle(frame);
  const counts = !mine && !frame.deleted && frame.kind !== "system";
  let isNews = false;
  keeper.arrive(() => (isNews = list.put(frame) && counts));
  changes.look();
  if (mine) return settle(frame);
  if (!isNews) return;
  if (!tracker.isLooking) list.divide(tracker.position);
  typingSign.hide();
  announcer.announce(frame);
  showPlace({ conversation, archived: false }); // It has come back to the inbox with that.
  tracker.look();
}

function change(frame) {
  if (frame.sequence < list.oldest) return;
  keeper.hold(() => {
    list.put(frame);
    list.redivide();
  });
  if (frame.sequence <= othersRead) list.markRead(othersRead);
  changes.look();
}

function settle(frame) {
  if (frame.sequence <= othersRead) list.markRead(othersRead);
  if (frame.client_message_id) outbox.settle(frame.client_message_id);
}

function acknowledge(frame) {
  if (!isFarBack(frame)) list.confirm(frame);
  changes.look();
  settle(frame);
}

/** Before what is on the page, and not next to it: such a message loads with its neighbours. */
function isFarBack({ sequence }) {
  return sequence < list.oldest && byId("older") !== null;
}

function read(user, sequence) {
  if (String(user) === userId) return tracker.moveTo(sequence);
  if (!members.isOpposite(user)) return;
  othersRead = Math.max(othersRead, sequence);
  list.markRead(othersRead);
}

function refuse(frame) {
  if (frame.code === "forbidden") standing.look(); // Something has changed that the page does not show.
  if (!frame.client_message_id) return tracker.refuse(frame.retry_after); // Of what is no message.
  outbox.refuse(frame);
  if (outbox.refusal?.id === frame.client_message_id) say(`${phrase("failed")}: ${frame.detail}`);
}

function showTyping({ user, expires_in: seconds }) {
  if (String(user) !== userId) typingSign.show(members.nameOf(user), seconds);
}

function showPresence(person) {
  if (presence.isTurn(person)) standing.look();
  presence.show(person);
}

function renew(fresh) {
  presence.takeOver(fresh.getElementById("presence"));
  if (!room.isUp) presence.hide();
  list.renameAuthors();
  changes.look();
}

function meet(participants) {
  members.meet(participants);
  if (!members.areOnPage) standing.look();
  for (const person of participants) {
    if ("online" in person) presence.show(person); // Not told over HTTP.
    if (String(person.id) === userId) tracker.settle(person.read_sequence);
    else read(person.id, person.read_sequence);
  }
}

function arrive(participants) {
  store.arrive();
  meet(participants);
}

function goOn() {
  isUp = true;
  isGone = false;
  line.up();
  if (!room.isUp) presence.hide();
  showOutbox();
  outbox.flush();
  tracker.look();
}

function stop(reason) {
  isUp = false;
  isGone = reason === "gone";
  line.down(reason);
  if (reason === "gone") standing.close(); // Nothing could be sent any more.
  typingSign.hide();
  outbox.pause();
  showOutbox();
}

// What goes out

function send(text) {
  list.undivide();
  outbox.add(text);
  keeper.toEnd();
}

function deliver({ id, message }) {
  const position = tracker.isLooking ? { read: list.newest } : {};
  return room.deliver({ client_message_id: id, message, ...position }, `${page.url}new_message/`);
}

function sayRead(sequence) {
  if (!room.sayRead(sequence)) return false;
  document.dispatchEvent(new CustomEvent("messaging:read"));
  return true;
}

function showOutbox() {
  const refusal = isGone ? null : outbox.refusal;
  const state = isGone ? "gone" : refusal ? "failed" : !isUp ? "waiting" : outbox.isHeld ? "held" : "sending";
  for (const [entry, element] of list.putPending(outbox.shown)) {
    showPending(element, state, refusal?.id === entry.id ? refusal.detail : "");
  }
}

function decide(event) {
  const choice = event.target.closest("[data-choice]")?.dataset.choice;
  if (choice === "retry") outbox.retry();
  const element = event.target.closest(".message");
  if (choice === "copy") copyText(element.querySelector(".message__body"));
  if (choice === "delete") outbox.discard(element.dataset.clientMessageId);
  if (choice === "discard") standing.takeBack(outbox.discard(element.dataset.clientMessageId));
}

/** Without a composer: it finds the text when there is one again. */
function keepDraft(text) {
  const begun = [text, store.read(draftName, "")].filter(Boolean).join("\n");
  store.write(draftName, begun);
  return begun;
}

function showOlder(frames) {
  keeper.hold(() => {
    for (const frame of frames) list.put(frame);
    list.markRead(othersRead);
  });
  changes.look();
}

// A page of older messages, or one that a refused form left at the form's address: the thread itself
// is where things go on.
if (new URLSearchParams(location.search).has("before")) location.replace(page.url);
else if (location.pathname !== page.url) history.replaceState(null, "", page.url);

new DeviceLine(byId("device-line"));
byId("messages").addEventListener("click", decide);
// Signed out in another tab: what was written here is forgotten here as well.
document.addEventListener("messaging:left", () => showOutbox());
// A page whose turn it is to send is not kept for the back button.
window.addEventListener("pagehide", () => outbox.pause());
if (byId("older")) {
  new OlderMessages({ link: byId("older"), root: keeper.root, messagesUrl, list, show: showOlder });
}
forgetSentAsks(list.ownIds, userId);
for (const { id } of outbox.entries) if (list.ownIds.has(id)) outbox.settle(id); // Arrived unheard.
showOutbox();
changes.look();
keeper.startAt(list.divider);
standing.focus();
room.enter();
