// The messages on the page in their order, with the days between them and what is unsent at the end.
import {
  confirmMessage,
  fillMessage,
  renderMessage,
  renderPending,
  sentAt,
  showAuthor,
  showRead,
} from "./message_view.js";
import { copyOf } from "./page.js";
import { dayKey, dayLabel } from "./times.js";

const ONE_GO = 5 * 60_000; // milliseconds between messages that stand close together

const isMessage = (element) => element?.classList.contains("message") ?? false;
const isSystem = (element) => element.classList.contains("message--system");
const isDeleted = (element) => element.classList.contains("message--deleted");
const sequenceOf = (element) => Number(element.dataset.sequence) || Infinity;

export class MessageList {
  #container;
  #me;
  #page;

  /** `page`: the thread's data, which says whom it is with. */
  constructor(container, me, page) {
    this.#container = container;
    this.#me = me;
    this.#page = page;
  }

  get #messages() {
    return [...this.#container.querySelectorAll(".message")];
  }

  get oldest() {
    return sequenceOf(this.#messages[0] ?? { dataset: {} });
  }

  get newest() {
    return Math.max(0, ...this.#messages.map(sequenceOf).filter(Number.isFinite));
  }

  /** The newest message of others, 0 without one. */
  get newestOfOthers() {
    const last = this.#messages.findLast((each) => this.#counts(each));
    return last ? sequenceOf(last) : 0;
  }

  isMine(frame) {
    return String(frame.sender?.id ?? "") === this.#me;
  }

  /** Shows a frame, wherever its message belongs. True if the message was not on the page before. */
  put(frame) {
    const mine = this.isMine(frame);
    const known = this.#find(frame);
    if (known) return this.#update(known, frame, mine);
    this.#place(renderMessage(frame, mine));
    return true;
  }

  confirm(ack) {
    const element = this.#find(ack);
    if (!element) return;
    confirmMessage(element, ack);
    this.#place(element);
  }

  /** Shows the outbox; gives back [entry, element] pairs. */
  putPending(entries) {
    const kept = new Set(entries.map((entry) => entry.id));
    for (const element of this.#messages) {
      const gone = !kept.has(element.dataset.clientMessageId);
      if (element.dataset.state && gone && !element.dataset.sequence) this.#remove(element);
    }
    return entries.map((entry) => [entry, this.#findPending(entry) ?? this.#append(entry)]);
  }

  markRead(sequence) {
    for (const element of this.#messages) {
      if (this.#isOwn(element) && sequenceOf(element) <= sequence) showRead(element);
    }
  }

  /** The client's ids of what this person has sent. */
  get ownIds() {
    return new Set(this.#messages.filter((each) => this.#isOwn(each)).map((each) => each.dataset.clientMessageId));
  }

  // The line above what is new

  get divider() {
    return this.#container.querySelector(".new");
  }

  /** Draws it above the first message after `sequence` that was unread, unless there is one already. */
  divide(sequence) {
    if (this.divider) return;
    const line = copyOf("new-template");
    const first = this.#messages.find((each) => sequenceOf(each) > sequence && this.#counts(each));
    first?.before(line);
    this.#arrange(first);
  }

  undivide() {
    const first = this.divider?.nextElementSibling;
    this.divider?.remove();
    this.#arrange(first);
  }

  /** Moves it on from a message that has been deleted. */
  redivide() {
    const first = this.divider?.nextElementSibling;
    if (!isMessage(first) || !isDeleted(first)) return;
    this.undivide();
    this.divide(sequenceOf(first));
  }

  /** Whom the thread is with has changed, and so which authors are named. */
  renameAuthors() {
    for (const element of this.#messages) this.#showAuthor(element);
  }

  // Finding

  /** As the unread count counts. */
  #counts(element) {
    return !this.#isOwn(element) && !isSystem(element) && !isDeleted(element);
  }

  #isOwn(element) {
    return element.dataset.sender === this.#me;
  }

  #find({ id, client_message_id: own }) {
    const matches = (each) =>
      each.dataset.id === String(id) || (own && each.dataset.clientMessageId === own);
    return this.#messages.findLast(matches);
  }

  #findPending(entry) {
    return this.#messages.findLast((each) => each.dataset.clientMessageId === entry.id);
  }

  // Placing

  #update(element, frame, mine) {
    if (Number(element.dataset.revision) > frame.revision) return false;
    const wasPending = !element.dataset.sequence;
    fillMessage(element, frame, mine);
    if (wasPending) this.#place(element);
    return false;
  }

  #append(entry) {
    const element = renderPending(entry, this.#me);
    this.#place(element);
    return element;
  }

  #place(element) {
    const before = this.#messages.findLast((each) => each !== element && this.#precedes(each, element));
    const after = this.#messages.find((each) => each !== element && !this.#precedes(each, element));
    const next = nextMessage(element);
    if (!element.isConnected || previousMessage(element) !== (before ?? null)) {
      if (before) before.after(element);
      else this.#start(after, element);
    }
    this.#arrange(element);
    this.#arrange(nextMessage(element));
    this.#arrange(next);
  }

  #start(after, element) {
    const end = this.#container.querySelector("#typing");
    const first = after && (dayBefore(after) ?? after);
    (first ?? end).before(element);
  }

  #precedes(each, element) {
    return sequenceOf(each) <= sequenceOf(element);
  }

  #remove(element) {
    const next = nextMessage(element);
    dayBefore(element)?.remove();
    element.remove();
    this.#arrange(next);
  }

  /** A day's first message has the day above it; the first of one go keeps some distance. */
  #arrange(element) {
    if (!element?.isConnected) return;
    const previous = previousMessage(element);
    const newDay = !previous || dayKey(sentAt(previous)) !== dayKey(sentAt(element));
    const day = dayBefore(element);
    if (newDay && !day) topOf(element).before(renderDay(sentAt(element)));
    if (!newDay) day?.remove();
    const first = newDay || topOf(element) !== element || startsGroup(previous, element);
    element.classList.toggle("message--first", first);
    this.#showAuthor(element);
  }

  /** On the first of a group, where there are several or it is not the other person's. */
  #showAuthor(element) {
    const { other, hasCompany } = this.#page;
    const isTold = element.classList.contains("message--first") && !this.#isOwn(element) && !isSystem(element);
    showAuthor(element, isTold && (hasCompany === "true" || element.dataset.sender !== other));
  }
}

function startsGroup(previous, element) {
  const apart = sentAt(element) - sentAt(previous) >= ONE_GO;
  return apart || isSystem(previous) !== isSystem(element) || previous.dataset.sender !== element.dataset.sender;
}

function renderDay(date) {
  const day = copyOf("day-template");
  const time = day.querySelector("time");
  time.dateTime = dayKey(date);
  time.textContent = dayLabel(time.dateTime);
  return day;
}

/** What stands right above a message and belongs to it: the “new” line or the message itself. */
function topOf(element) {
  const line = element.previousElementSibling;
  return line?.classList.contains("new") ? line : element;
}

function dayBefore(element) {
  const above = topOf(element).previousElementSibling;
  return above?.classList.contains("day") ? above : null;
}

function previousMessage(element) {
  let each = element.previousElementSibling;
  while (each && !isMessage(each)) each = each.previousElementSibling;
  return each;
}

function nextMessage(element) {
  let each = element.nextElementSibling;
  while (each && !isMessage(each)) each = each.nextElementSibling;
  return each;
}
