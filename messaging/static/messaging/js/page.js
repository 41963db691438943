// What the page says about itself: who looks at it, in which language, with which words.
const words = document.getElementById("phrases")?.dataset ?? {};

export const userId = document.querySelector("meta[name='user-id']")?.content ?? "";
export const language = document.documentElement.lang || "en";
export const timeZone = document.documentElement.dataset.timeZone || undefined;

/** A phrase of the page with what it speaks of filled in. */
export function phrase(name, { n = "", s = "" } = {}) {
  return (words[name] ?? "").replace("%n", () => n).replace("%s", () => s);
}
