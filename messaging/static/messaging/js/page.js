// What the page says about itself: who looks at it, in which language, with which words.
export const byId = (id) => document.getElementById(id);

/** A new element of what a template of the page holds. */
export const copyOf = (id) => byId(id).content.firstElementChild.cloneNode(true);

const words = byId("phrases")?.dataset ?? {};

const meta = (name) => document.querySelector(`meta[name='${name}']`)?.content ?? "";

export const userId = meta("user-id");
export const language = document.documentElement.lang || "en";
export const timeZone = meta("time-zone") || undefined;

export const csrfFields = () => document.querySelectorAll("[name='csrfmiddlewaretoken']");

/** Out of a form of the page: the cookie with it may have any name, or be none of a script's business. */
export const csrfToken = () => csrfFields()[0]?.value ?? "";

/** A phrase of the page with what it speaks of filled in. */
export function phrase(name, { n = "", s = "" } = {}) {
  return (words[name] ?? "").replace("%n", () => n).replace("%s", () => s);
}
