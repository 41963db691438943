// Times as the page shows them, in its language and its time zone, kept true while it stays open.
import { language, phrase, timeZone } from "./page.js";

const MINUTE = 60_000; // milliseconds
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const REFRESH_EVERY = 30_000;

const locale = language === "en" ? "en-GB" : language; // the day before the month, as the server has it
const format = (options) => new Intl.DateTimeFormat(locale, { timeZone, ...options });
const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const weekday = format({ weekday: "long", day: "numeric", month: "long" });
const fullDate = format({ day: "numeric", month: "long", year: "numeric" });
// Swedish dates are written as computers write them.
const key = new Intl.DateTimeFormat("sv-SE", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });

export const clockTime = (date) => clock.format(date);

/** The day of a moment, as “2026-11-21”. */
export const dayKey = (date) => key.format(date);

export function dayLabel(date) {
  if (dayKey(date) === dayKey(new Date())) return phrase("today");
  if (dayKey(date) === dayKey(new Date(Date.now() - DAY))) return phrase("yesterday");
  const thisYear = dayKey(date).slice(0, 4) === dayKey(new Date()).slice(0, 4);
  return (thisYear ? weekday : fullDate).format(date);
}

/** When somebody was last here; `day` is all that is told: “2026-11-21”. */
export function lastHere(day) {
  if (!day) return "";
  if (day === dayKey(new Date())) return phrase("hereToday");
  if (day === dayKey(new Date(Date.now() - DAY))) return phrase("hereYesterday");
  return phrase("hereOn", { s: fullDate.format(new Date(`${day}T12:00:00Z`)) });
}

/** “12 min”, “5 h”; nothing where the server's words for it stay true. */
function span(element) {
  const age = Date.now() - new Date(element.dateTime);
  const waiting = element.dataset.span !== undefined;
  if (age < MINUTE && !waiting) return phrase("now");
  if (age < HOUR) return phrase("minutes", { n: Math.max(1, Math.floor(age / MINUTE)) });
  if (age < (waiting ? 2 * DAY : DAY)) return phrase("hours", { n: Math.floor(age / HOUR) });
  return "";
}

function show(element, text) {
  if (text && element.textContent !== text) element.textContent = text;
}

export function refreshTimes() {
  for (const time of document.querySelectorAll("time[data-relative], time[data-span]")) {
    show(time, span(time));
  }
  for (const time of document.querySelectorAll("time[data-day]")) {
    show(time, dayLabel(new Date(`${time.dateTime}T12:00:00Z`)));
  }
}

setInterval(refreshTimes, REFRESH_EVERY);
