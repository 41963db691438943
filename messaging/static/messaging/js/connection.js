// A WebSocket that comes back: with growing pauses, at once when there is reason to hope.
import { afterClose } from "./close_codes.js";

const FIRST_PAUSE = 500; // milliseconds, doubling
const LONGEST_PAUSE = 30_000;
const STEADY_AFTER = 10_000; // An open socket this old starts the pauses over.
const DEAD_AFTER = 60_000; // without a frame
const QUIET_AFTER = 30_000; // then a ping goes out
const PONG_PATIENCE = 5_000; // when somebody looks at the page again
const FIRST_FRAME_PATIENCE = 15_000; // A handshake may hang, or pass where no frame does.
const HOPE_PATIENCE = 3_000; // for one under way when there is reason to hope that another does better
const LOOK_EVERY = 5_000;

export class Connection {
  #path;
  #listener;
  #socket = null;
  #attempts = 0;
  #heard = false;
  #ended = true;
  #signedOut = false;
  #whenLookedAt = false;
  #notBefore = 0;
  #since = new Stopwatch(); // the last sign of life, or the try
  #pinged = null;
  #timer;

  /** `path()` gives the socket's path at each try. The listener has `frame(data)`, `down(reason)`
   * and `async refused()`, which says why not to go on, or nothing; where it fails, that is nothing. */
  constructor(path, listener) {
    this.#path = path;
    this.#listener = listener;
    window.addEventListener("online", () => this.#whenLookedAt || this.#hope());
    window.addEventListener("offline", () => this.#doubt());
    window.addEventListener("focus", () => (this.#whenLookedAt || this.#signedOut) && this.#hope());
    window.addEventListener("pageshow", (event) => event.persisted && this.#hope());
    // A page with an open socket is not kept for the back button.
    window.addEventListener("pagehide", () => this.#rest());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hope());
    document.addEventListener("resume", () => this.#hope());
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
    this.#heard = false;
    this.#whenLookedAt = false;
    this.#since = new Stopwatch();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.#path()}`);
    this.#socket = socket;
    socket.onopen = () => this.#steady(socket);
    socket.onmessage = (event) => this.#receive(socket, event);
    socket.onclose = (event) => socket === this.#socket && this.#lost(event.code);
  }

  #steady(socket) {
    setTimeout(() => {
      if (socket === this.#socket && this.#heard) this.#attempts = 0;
    }, STEADY_AFTER);
  }

  #receive(socket, event) {
    if (socket !== this.#socket) return;
    this.#heard = true;
    this.#since = new Stopwatch();
    this.#pinged = null;
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
    this.#pinged = null;
    const next = afterClose(code);
    if (next.pause) this.#notBefore = performance.now() + next.pause;
    this.#listener.down(next.whenLookedAt ? "elsewhere" : "offline");
    const asks = next.asksAfter || !this.#heard;
    if (next.asksAfter) await new Promise((done) => setTimeout(done, next.asksAfter));
    if (this.#socket) return; // Somebody looked at the page meanwhile.
    const end = next.end ?? (asks ? await this.#listener.refused().catch(reportError) : null);
    if (this.#socket) return; // What was asked about is over: this one speaks for itself.
    if (end) return this.end(end);
    if (next.whenLookedAt) this.#whenLookedAt = true;
    else this.#openLater();
  }

  /** Signed out, it tries again when somebody looks: they may have signed in elsewhere. */
  end(reason) {
    this.#ended = true;
    this.#signedOut = reason === "signed_out";
    this.#drop();
    clearTimeout(this.#timer);
    this.#listener.down(reason);
  }

  #openLater() {
    if (this.#socket || this.#ended) return;
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#attempts);
    this.#attempts += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#pause + Math.random() * longest);
  }

  /** Milliseconds for which the server has asked not to come back. */
  get #pause() {
    return Math.max(0, this.#notBefore - performance.now());
  }

  // Signs of life

  #hope() {
    if (this.#ended && !this.#signedOut) return;
    this.#ended = this.#signedOut = false;
    const age = this.#since.elapsed;
    if (this.isOpen && age <= DEAD_AFTER) return this.#ping();
    if (this.#socket && age <= HOPE_PATIENCE) return;
    this.#attempts = 0;
    if (this.#pause) return this.#openLater();
    this.#renew();
  }

  #doubt() {
    if (this.isOpen) this.#ping();
  }

  #ping() {
    this.#pinged ??= new Stopwatch();
    this.send({ type: "ping" });
    setTimeout(() => this.#look(), PONG_PATIENCE + 50);
  }

  /** Timers stand still with a sleeping device: what is due is noticed right after it wakes. */
  #look() {
    if (!this.#socket) return;
    const quiet = this.#since.elapsed;
    const unanswered = this.#pinged?.elapsed ?? 0;
    if (quiet > DEAD_AFTER) this.#renew();
    else if (this.#isStuck(quiet) || unanswered > this.#pongPatience) this.#replace();
    else if (this.isOpen && quiet > QUIET_AFTER && !this.#pinged) this.#ping();
  }

  #isStuck(quiet) {
    return !this.#heard && quiet > FIRST_FRAME_PATIENCE;
  }

  get #pongPatience() {
    return PONG_PATIENCE * (document.hidden ? 4 : 1);
  }

  #replace() {
    this.#drop();
    this.#lost(1006);
  }

  #renew() {
    this.#rest();
    this.#open();
  }

  #rest() {
    if (!this.#socket) return;
    this.#drop();
    this.#listener.down("offline");
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#pinged = null;
    socket?.close();
  }
}

/** Milliseconds since it was made. A sleep may stop the one clock, and somebody set back the other. */
class Stopwatch {
  #moment = performance.now();
  #date = Date.now();

  get elapsed() {
    return Math.max(performance.now() - this.#moment, Date.now() - this.#date);
  }
}
