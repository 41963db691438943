// One conversation on the line: hands over what happens in it, once, and notices what is missing.
import { getJson, postJson } from "./api.js";
import { Connection } from "./connection.js";
import { isSomebodyElse } from "./page.js";
import { postMessage } from "./posting.js";

const GAP_PATIENCE = 1_000; // milliseconds for a late frame or ack to fill a gap
const MOST_PAGES = 50; // of 200 changes; more than that comes with the next try
// Milliseconds between two looks over HTTP where no socket gets through.
const LOOK_EVERY = 5_000;
const LOOK_EVERY_HIDDEN = 30_000;
const HANDED_ON = new Set([
  ...["chat_message", "message_changed", "ack", "error", "read", "typing"],
  ...["presence", "participants", "place"],
]);

export class Room {
  #conversation;
  #messagesUrl;
  #readUrl;
  #cursor;
  #asked = 0; // the revision after which changes were last asked for
  #head = 0;
  #ahead = new Set();
  #catchingUp = true;
  #overHttp = false;
  #lookTimer;
  #catching = null;
  #gapTimer = null;
  #listener;
  #connection;

  /** Every change up to `revision` is on the page. The listener has a method for `ready` and for each
   * type that is handed on, `up()` and `down(reason)`. */
  constructor({ conversation, revision, messagesUrl, readUrl, listener }) {
    this.#conversation = conversation;
    this.#messagesUrl = messagesUrl;
    this.#readUrl = readUrl;
    this.#cursor = revision;
    this.#listener = listener;
    this.#connection = new Connection(() => this.#path(), {
      frame: (frame) => this.#frame(frame),
      down: (reason) => this.#down(reason),
      refused: () => this.#catchUp(),
    });
  }

  enter() {
    this.#connection.start();
  }

  get isUp() {
    return this.#connection.isOpen && !this.#catchingUp;
  }

  send(frame) {
    return this.isUp && this.#connection.send(frame);
  }

  /** Sends a message by the socket, or by HTTP where sockets do not get through. */
  deliver(message, url) {
    if (this.send({ type: "chat_message", ...message })) return true;
    if (!this.#overHttp) return false;
    this.#post(message, url);
    return true;
  }

  /** Says how far one has read, by whichever way is open. */
  sayRead(sequence) {
    if (this.send({ type: "read", sequence })) return true;
    if (this.#overHttp) this.#postRead(sequence);
    return this.#overHttp;
  }

  // Frames

  #frame(frame) {
    if (frame.conversation && frame.conversation !== this.#conversation) return;
    if (frame.revision && frame.type !== "heartbeat" && frame.type !== "ready") {
      this.#note(frame.revision);
    }
    if (frame.type === "ready") this.#ready(frame);
    else if (frame.type === "heartbeat") this.#compare(frame.revision);
    else if (HANDED_ON.has(frame.type)) this.#listener[frame.type](frame);
  }

  /** What was asked for has been handed over, up to `revision`; to somebody else, if another person
   * has signed in with this browser since: this page is none of theirs. */
  #ready(frame) {
    if (isSomebodyElse(frame.user)) {
      this.#connection.end("signed_out");
      return;
    }
    if (frame.revision < this.#asked) {
      // The database was restored to an earlier state: numbers that this page knows are given again.
      window.location.reload();
      return;
    }
    this.#catchingUp = false;
    this.#leaveHttp();
    this.#moveTo(frame.revision);
    this.#listener.ready(frame);
    this.#listener.up();
  }

  #note(revision) {
    if (this.#catchingUp) return; // A replay leaves out what was changed again later.
    if (revision > this.#cursor) this.#ahead.add(revision);
    this.#moveTo(this.#cursor);
    this.#checkGap();
  }

  #moveTo(revision) {
    this.#cursor = Math.max(this.#cursor, revision);
    while (this.#ahead.delete(this.#cursor + 1)) this.#cursor += 1;
    for (const each of this.#ahead) if (each <= this.#cursor) this.#ahead.delete(each);
  }

  #compare(head) {
    this.#head = Math.max(this.#head, head);
    this.#checkGap();
  }

  #checkGap() {
    if (!this.#hasGap) return;
    this.#gapTimer ??= setTimeout(() => {
      this.#gapTimer = null;
      if (this.#hasGap && !this.#catchingUp) this.#resume();
    }, GAP_PATIENCE);
  }

  get #hasGap() {
    return this.#ahead.size > 0 || this.#head > this.#cursor;
  }

  #resume() {
    if (!this.#connection.send({ type: "resume", after: this.#cursor })) return;
    this.#asked = this.#cursor;
    this.#catchingUp = true;
  }

  // The line

  #path() {
    this.#catchingUp = true;
    this.#asked = this.#cursor;
    return `/ws/room/${this.#conversation}/?after=${this.#cursor}`;
  }

  /** As long as HTTP works, a socket that does not come about changes nothing. */
  #down(reason) {
    this.#catchingUp = true;
    if (this.#overHttp && reason === "offline") return;
    this.#leaveHttp();
    this.#listener.down(reason);
  }

  // Without sockets: what comes is asked for now and then, what goes out is posted

  /** The handshake was refused: HTTP says why, and meanwhile brings what was missed. */
  #catchUp() {
    this.#catching ??= this.#readChanges().finally(() => (this.#catching = null));
    return this.#catching;
  }

  async #readChanges() {
    let after = this.#cursor;
    for (let page = 0; after !== null && page < MOST_PAGES; page += 1) {
      const { status, body } = await getJson(`${this.#messagesUrl}?after=${after}`);
      if (status === 401) return "signed_out";
      if (status === 404) return "gone";
      if (status !== 200 || !body.results) return this.#giveUpHttp();
      if (isSomebodyElse(body.user)) return "signed_out";
      for (const change of body.results) this.#apply(change);
      if (body.participants) this.#listener.participants(body);
      after = body.next;
    }
    if (this.#catchingUp) this.#goOverHttp();
    return null;
  }

  #apply(change) {
    this.#moveTo(change.revision);
    this.#frame({ type: "chat_message", ...change });
  }

  #goOverHttp() {
    this.#overHttp = true;
    this.#lookLater();
    this.#listener.up();
  }

  #lookLater() {
    clearTimeout(this.#lookTimer);
    const pause = document.hidden ? LOOK_EVERY_HIDDEN : LOOK_EVERY;
    this.#lookTimer = setTimeout(() => this.#look(), pause * (0.75 + Math.random() / 2));
  }

  async #look() {
    const end = await this.#catchUp();
    if (end && this.#catchingUp) this.#connection.end(end);
  }

  #leaveHttp() {
    this.#overHttp = false;
    clearTimeout(this.#lookTimer);
  }

  /** Looks once more; after that the next try of the socket asks again. */
  #giveUpHttp() {
    if (!this.#overHttp) return null;
    this.#overHttp = false;
    this.#lookLater();
    this.#listener.down("offline");
    return null;
  }

  async #post(message, url) {
    const { ack, error, end } = await postMessage(url, message);
    if (ack) this.#listener.ack(ack);
    else if (error) this.#listener.error(error);
    else if (end === "offline") this.#giveUpHttp();
    else if (!this.isUp) this.#connection.end(end); // Else there is a better line by now.
  }

  async #postRead(sequence) {
    const { status, body, retryAfter } = await postJson(this.#readUrl, { sequence });
    if (status !== 200) this.#listener.error({ retry_after: retryAfter, ...body });
  }
}
