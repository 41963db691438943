// What the page says about itself: who looks at it, in which language, with which words.
export const byId = (id) => document.getElementById(id);

/** A new element of what a template of the page holds. */
export const copyOf = (id) => byId(id).content.firstElementChild.cloneNode(true);

// Pages that are not about conversations have those that what is unsent needs.
const words = { ...byId("unsent-template")?.dataset, ...byId("phrases")?.dataset };

const meta = (name) => document.querySelector(`meta[name='${name}']`)?.content ?? "";

export const userId = meta("user-id");

/** Whether what the server says it has answered to is not who this page was made for. */
export const isSomebodyElse = (user) => user !== undefined && String(user) !== userId;

export const language = document.documentElement.lang || "en";
export const timeZone = meta("time-zone") || undefined;

const TOKEN = "[name='csrfmiddlewaretoken']";

/** Those of the page's forms, and the one that every page has in a template. */
export function csrfFields(page = document) {
  const kept = page.getElementById("unsent-template")?.content.querySelectorAll(TOKEN) ?? [];
  return [...page.querySelectorAll(TOKEN), ...kept];
}

/** Out of the page itself: the cookie with it may have any name, or be none of a script's business. */
export const csrfToken = () => csrfFields()[0]?.value ?? "";

/** A phrase of the page with what it speaks of filled in. */
export function phrase(name, { n = "", s = "" } = {}) {
  return (words[name] ?? "").replace("%n", () => n).replace("%s", () => s);
}
