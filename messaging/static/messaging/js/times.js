// Times as the page shows them, in its language and its time zone, kept true while it stays open.
import { language, phrase, timeZone } from "./page.js";

const MINUTE = 60_000; // milliseconds
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const REFRESH_EVERY = 30_000;

const locale = language === "en" ? "en-GB" : language; // the day before the month, as the server has it
const format = (options) => new Intl.DateTimeFormat(locale, { timeZone, ...options });
const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
// A day is written as “2026-11-21” and has no time zone any more: it is shown as it stands.
const formatDay = (options) => format({ ...options, timeZone: "UTC" });
const weekday = formatDay({ weekday: "long", day: "numeric", month: "long" });
const fullDate = formatDay({ day: "numeric", month: "long", year: "numeric" });
// Swedish dates are written as computers write them.
const key = new Intl.DateTimeFormat("sv-SE", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });

export const clockTime = (date) => clock.format(date);

/** The day of a moment where the reader is. */
export const dayKey = (date) => key.format(date);

const today = () => dayKey(new Date());
const yesterday = () => dayKey(new Date(Date.now() - DAY));

export function dayLabel(day) {
  if (day === today()) return phrase("today");
  if (day === yesterday()) return phrase("yesterday");
  const thisYear = day.slice(0, 4) === today().slice(0, 4);
  return (thisYear ? weekday : fullDate).format(new Date(day));
}

/** When somebody was last here; the day in UTC is all that is told, and may be tomorrow here. */
export function lastHere(day) {
  if (!day) return "";
  if (day >= today()) return phrase("hereToday");
  if (day === yesterday()) return phrase("hereYesterday");
  return phrase("hereOn", { s: fullDate.format(new Date(day)) });
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
    show(time, dayLabel(time.dateTime));
  }
}

setInterval(refreshTimes, REFRESH_EVERY);
