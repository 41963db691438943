// Keeps what is being read in place, and the end in view for whoever reads at the end.
const NEARLY = "48px 0px"; // This close to the end is at the end.
const SMOOTH_WITHIN = 2; // screens; from further away it is a leap
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class ScrollKeeper {
  #log;
  #end;
  #jump;
  #atEnd = true;
  #missed = 0;
  #moved;

  /** `moved()` is called whenever the end comes into view or leaves it. */
  constructor({ log, end, jump, moved }) {
    this.#log = log;
    this.#end = end;
    this.#jump = jump;
    this.#moved = moved;
    const seen = (entries) => this.#see(entries.at(-1));
    new IntersectionObserver(seen, { root: this.root, rootMargin: NEARLY }).observe(end);
    jump.addEventListener("click", () => this.toEnd({ smooth: true }));
  }

  get atEnd() {
    return this.#atEnd;
  }

  /** What scrolls, for observers: the log, or null for the page where there is little height. */
  get root() {
    return getComputedStyle(this.#log).overflowY === "visible" ? null : this.#log;
  }

  toEnd({ smooth = false } = {}) {
    const near = Math.abs(this.#log.scrollTop) < SMOOTH_WITHIN * this.#log.clientHeight;
    const behavior = smooth && near && !calm.matches ? "smooth" : "instant";
    // The log is laid out from its end: there it is at 0.
    if (this.root) this.#log.scrollTo({ top: 0, behavior });
    else this.#end.scrollIntoView({ block: "end", behavior });
  }

  /** Starts a long absence at its beginning rather than at its end. */
  startAt(element) {
    if (!element || location.hash) return;
    const above = element.getBoundingClientRect().top - this.#log.getBoundingClientRect().top;
    if (above < 0) this.#scroller.scrollBy({ top: above, behavior: "instant" });
  }

  /** Makes room for an arriving message: follows it from the end, counts it from elsewhere if
   * `change()` says that it is news. */
  arrive(change) {
    if (this.#atEnd) {
      change();
      return this.toEnd();
    }
    let isNews = false;
    this.hold(() => (isNews = change()));
    if (isNews) this.#missed += 1;
    this.#show();
  }

  /** Changes the page and leaves what is being looked at where it is. */
  hold(change) {
    const anchor = this.#firstInView();
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (!anchor?.isConnected) return;
    const moved = anchor.getBoundingClientRect().top - before;
    if (moved) this.#scroller.scrollBy({ top: moved, behavior: "instant" });
  }

  get #scroller() {
    return this.root ?? document.scrollingElement;
  }

  #firstInView() {
    const top = Math.max(0, this.#log.getBoundingClientRect().top);
    const messages = this.#log.querySelectorAll(".message");
    return [...messages].find((each) => each.getBoundingClientRect().bottom > top);
  }

  #see(entry) {
    this.#atEnd = entry.isIntersecting;
    if (this.#atEnd) this.#missed = 0;
    this.#show();
    this.#moved();
  }

  #show() {
    const count = this.#jump.querySelector(".count");
    this.#jump.hidden = this.#atEnd;
    count.hidden = !this.#missed;
    count.textContent = this.#missed;
  }
}
