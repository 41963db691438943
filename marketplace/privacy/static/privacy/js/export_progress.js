// Shows how far a copy is without a reload, by asking for this very page again and again.
import { getPage } from "../../messaging/js/api.js";

const PAUSE = 2_000; // milliseconds
const place = document.getElementById("export-state");

async function look() {
  if (document.hidden) return wait();
  const page = await getPage(location.href);
  const now = page?.getElementById("export-state");
  if (!now) return wait();
  if (!["waiting", "working"].includes(now.dataset.state)) return location.reload();
  const bar = place.querySelector("progress");
  const next = now.querySelector("progress");
  // Word by word it would be read out every other second: only a change of the number is said.
  if (bar && next && bar.value !== next.value) place.replaceChildren(...now.childNodes);
  wait();
}

function wait() {
  setTimeout(look, PAUSE);
}


wait();
