// A conversation's page: the room on the line, what is on screen, and what still has to go out.
import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { ConnectionLine } from "./connection_line.js";
import { showPlace } from "./flags.js";
import { MessageChanges } from "./message_changes.js";
import { MessageList } from "./message_list.js";
import { showPending } from "./message_view.js";
import "./menus.js";
import { OlderMessages } from "./older_messages.js";
import { Outbox } from "./outbox.js";
import { byId, userId } from "./page.js";
import { Members, Presence, TypingSign } from "./people.js";
import { ReadTracker } from "./read_tracker.js";
import { Room } from "./room.js";
import { ScrollKeeper } from "./scroll_keeper.js";
import { forgetSentAsks } from "./sent_asks.js";
import { Standing } from "./standing.js";
import { Store } from "./store.js";

const page = byId("thread").dataset;
const { conversation, messagesUrl } = page;
const store = new Store(userId);

let othersRead = Number(page.readByOthers);
let isUp = false;

const list = new MessageList(byId("messages"), userId, page);
const line = new ConnectionLine(byId("connection-line"));
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
    ready: (frame) => meet(frame.participants),
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

const outbox = new Outbox({ store, conversation, deliver, changed: () => showOutbox() });

const standing = new Standing({
  page,
  compose: (form) =>
    new Composer({
      form,
      store,
      name: `draft.${conversation}`,
      send: (text) => send(text),
      typing: () => room.send({ type: "typing" }),
      editLast: () => changes.editLast(),
    }),
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
  if (frame.sequence < list.oldest && byId("older")) return; // It loads with its neighbours.
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
  list.confirm(frame);
  changes.look();
  settle(frame);
}

function read(user, sequence) {
  if (String(user) === userId) return tracker.moveTo(sequence);
  if (!members.isOpposite(user)) return;
  othersRead = Math.max(othersRead, sequence);
  list.markRead(othersRead);
}

function refuse(frame) {
  if (frame.code === "forbidden") standing.look(); // Something has changed that the page does not show.
  outbox.refuse(frame);
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
  list.renameAuthors();
  changes.look();
}

function meet(participants) {
  members.meet(participants);
  if (!members.areOnPage) standing.look();
  for (const person of participants) {
    presence.show(person);
    read(person.id, person.read_sequence);
  }
}

function goOn() {
  isUp = true;
  line.up();
  showOutbox();
  outbox.flush();
  tracker.look();
}

function stop(reason) {
  isUp = false;
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
  return room.deliver({ client_message_id: id, message, ...position }, standing.action);
}

function sayRead(sequence) {
  if (!room.send({ type: "read", sequence })) return false;
  document.dispatchEvent(new CustomEvent("messaging:read"));
  return true;
}

function showOutbox() {
  const { refusal } = outbox;
  const state = refusal ? "failed" : isUp ? "sending" : "waiting";
  for (const [entry, element] of list.putPending(outbox.entries)) {
    showPending(element, state, refusal?.id === entry.id ? refusal.detail : "");
  }
}

function decide(event) {
  const choice = event.target.closest("[data-choice]")?.dataset.choice;
  if (choice === "retry") outbox.retry();
  if (choice === "discard") {
    const { clientMessageId } = event.target.closest(".message").dataset;
    standing.takeBack(outbox.discard(clientMessageId));
  }
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

byId("messages").addEventListener("click", decide);
if (byId("older")) {
  new OlderMessages({ link: byId("older"), root: keeper.root, messagesUrl, list, show: showOlder });
}
forgetSentAsks(list.ownIds, userId);
showOutbox();
changes.look();
keeper.startAt(list.divider);
standing.focus();
room.enter();
