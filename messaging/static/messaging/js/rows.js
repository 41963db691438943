// Brings a list up to date from a fresh copy of its page: same rows, same focus, same place.

/** Takes over what `fresh` has. Rows that `fresh` lacks go, unless more than its page was loaded. */
export function mergeRows(list, fresh, { keepRest = false } = {}) {
  const rows = [...fresh.children].map((row) => mergeRow(list, row));
  if (!keepRest) for (const row of [...list.children]) if (!rows.includes(row)) remove(row);
  arrange(list, rows);
  markCurrent(list);
}

function mergeRow(list, fresh) {
  const known = list.querySelector(`#${CSS.escape(fresh.id)}`);
  if (!known) return document.adoptNode(fresh);
  for (const [index, freshPart] of [...fresh.children].entries()) mergePart(known.children[index], freshPart);
  return known;
}

function mergePart(part, fresh) {
  if (part.innerHTML !== fresh.innerHTML) part.replaceChildren(...fresh.childNodes);
  part.className = fresh.className;
}

/** Whoever was in a row that goes is in the next one. */
function remove(row) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  if (row.contains(document.activeElement)) next?.firstElementChild.focus();
  row.remove();
}

/** The row with the focus stays put and the others move around it: a moved one would lose it. */
function arrange(list, rows) {
  const pivot = rows.find((row) => row.contains(document.activeElement));
  const middle = pivot ? rows.indexOf(pivot) : 0;
  if (!pivot && rows[0]) settle(rows[0], list.firstElementChild, () => list.prepend(rows[0]));
  for (let index = middle; index > 0; index -= 1) {
    const [row, next] = [rows[index - 1], rows[index]];
    settle(row, next.previousElementSibling, () => next.before(row));
  }
  for (let index = middle + 1; index < rows.length; index += 1) {
    const [row, previous] = [rows[index], rows[index - 1]];
    settle(row, previous.nextElementSibling, () => previous.after(row));
  }
}

function settle(row, inPlace, move) {
  if (row === inPlace) return;
  move();
  if (row.querySelector(".row--unread")) row.firstElementChild.classList.add("row--arrived");
}

function markCurrent(list) {
  const current = `conversation-${list.dataset.current}`;
  for (const row of list.children) {
    const link = row.firstElementChild;
    if (row.id === current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
