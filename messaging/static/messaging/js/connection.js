// A WebSocket that comes back: with growing pauses, at once when there is reason to hope.
import { afterClose } from "./close_codes.js";

const FIRST_PAUSE = 500; // milliseconds, doubling
const LONGEST_PAUSE = 30_000;
const STEADY_AFTER = 10_000; // An open socket this old starts the pauses over.
const DEAD_AFTER = 60_000; // without a frame
const QUIET_AFTER = 30_000; // then a ping goes out
const PONG_PATIENCE = 5_000; // when somebody looks at the page again
const LOOK_EVERY = 5_000;

export class Connection {
  #path;
  #listener;
  #socket = null;
  #attempts = 0;
  #opened = false;
  #ended = true;
  #signedOut = false;
  #whenLookedAt = false;
  #lastFrameAt = 0;
  #pingedAt = 0;
  #timer;

  /** `path()` gives the socket's path at each try. The listener has `frame(data)`, `down(reason)`
   * and `async refused()`, which says why not to go on, or nothing. */
  constructor(path, listener) {
    this.#path = path;
    this.#listener = listener;
    window.addEventListener("online", () => this.#hope());
    window.addEventListener("offline", () => this.#doubt());
    window.addEventListener("focus", () => this.#whenLookedAt && this.#hope());
    window.addEventListener("pageshow", (event) => event.persisted && this.#hope());
    // A page with an open socket is not kept for the back button.
    window.addEventListener("pagehide", () => this.#drop());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hope());
    setInterval(() => this.#look(), LOOK_EVERY);
  }

  start() {
    this.#ended = false;
    this.#open();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(frame) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  // Life of one socket

  #open() {
    clearTimeout(this.#timer);
    this.#opened = false;
    this.#whenLookedAt = false;
    this.#lastFrameAt = Date.now();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.#path()}`);
    this.#socket = socket;
    socket.onopen = () => this.#start(socket);
    socket.onmessage = (event) => this.#receive(socket, event);
    socket.onclose = (event) => socket === this.#socket && this.#lost(event.code);
  }

  #start(socket) {
    if (socket !== this.#socket) return;
    this.#opened = true;
    setTimeout(() => {
      if (socket === this.#socket) this.#attempts = 0;
    }, STEADY_AFTER);
  }

  #receive(socket, event) {
    if (socket !== this.#socket) return;
    this.#lastFrameAt = Date.now();
    this.#pingedAt = 0;
    let frame;
    try {
      frame = JSON.parse(event.data);
    } catch {
      return;
    }
    this.#listener.frame(frame);
  }

  async #lost(code) {
    this.#socket = null;
    this.#pingedAt = 0;
    const next = afterClose(code);
    this.#listener.down(next.whenLookedAt ? "elsewhere" : "offline");
    const asks = next.asksAfter || !this.#opened;
    if (next.asksAfter) await new Promise((done) => setTimeout(done, next.asksAfter));
    if (this.#socket) return; // Somebody looked at the page meanwhile.
    const end = next.end ?? (asks ? await this.#listener.refused() : null);
    if (end) return this.end(end);
    if (next.whenLookedAt) this.#whenLookedAt = true;
    else this.#openLater(next.pause);
  }

  /** Signed out, it tries again when somebody looks: they may have signed in elsewhere. */
  end(reason) {
    this.#ended = true;
    this.#signedOut = reason === "signed_out";
    this.#drop();
    this.#listener.down(reason);
  }

  #openLater(pause) {
    if (this.#socket || this.#ended) return;
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#attempts);
    this.#attempts += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), pause + Math.random() * longest);
  }

  // Signs of life

  #hope() {
    if (this.#ended && !this.#signedOut) return;
    this.#ended = this.#signedOut = false;
    if (this.isOpen) return this.#ping();
    if (this.#socket) return;
    this.#attempts = 0;
    this.#open();
  }

  #doubt() {
    if (this.isOpen) this.#ping();
  }

  #ping() {
    this.#pingedAt ||= Date.now();
    this.send({ type: "ping" });
    setTimeout(() => this.#look(), PONG_PATIENCE + 50);
  }

  #look() {
    if (!this.#socket) return;
    const quiet = Date.now() - this.#lastFrameAt;
    const unanswered = this.#pingedAt ? Date.now() - this.#pingedAt : 0;
    if (quiet > DEAD_AFTER || unanswered > PONG_PATIENCE * (document.hidden ? 4 : 1)) this.#replace();
    else if (this.isOpen && quiet > QUIET_AFTER && !this.#pingedAt) this.#ping();
  }

  #replace() {
    this.#drop();
    this.#lost(1006);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#pingedAt = 0;
    socket?.close();
  }
}
