// What has just happened or did not work, in words: for whoever does not see it happen, and where a
// page has no better place for it.
const KEPT = 10_000; // milliseconds, long enough to be read out; then the same can be said again

const region = document.getElementById("notices");
const said = document.getElementById("said");

/** For screen readers only: what the page shows anyway. One sentence takes no other's place. */
export function say(text) {
  if (!said) return;
  const line = document.createElement("span");
  line.textContent = `${text} `;
  said.append(line);
  setTimeout(() => line.remove(), KEPT);
}

/** Shows one of the lines that the page has ready and hides the others; "" hides them all. */
export function showNotice(name, text) {
  for (const line of region?.children ?? []) {
    line.hidden = line.dataset.notice !== name;
    if (text !== undefined && !line.hidden) line.querySelector("[data-text]").textContent = text;
  }
  return region?.querySelector(`[data-notice="${name}"]`);
}
