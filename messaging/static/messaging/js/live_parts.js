// Other parts of the page that a fresh copy of it brings up to date: counts, tabs, figures, the title.
const COUNT = /^\(\d+\) /;

export function mergeLiveParts(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const copy = fresh.getElementById(part.id);
    if (copy) mergePart(part, copy);
  }
  const count = fresh.title.match(COUNT)?.[0] ?? "";
  const title = count + document.title.replace(COUNT, "");
  if (document.title !== title) document.title = title;
}

function mergePart(part, copy) {
  if (part.innerHTML === copy.innerHTML || part.contains(document.activeElement)) return;
  part.replaceChildren(...copy.childNodes);
}
