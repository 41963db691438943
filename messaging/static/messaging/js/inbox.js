// A list of conversations that stays true. The socket says that something changed; the page itself,
// asked for again, says what. So every row is made by the server, in one place.
import { getJson, getPage } from "./api.js";
import { Connection } from "./connection.js";
import { ConnectionLine } from "./connection_line.js";
import { showPlace } from "./flags.js";
import { mergeLiveParts } from "./live_parts.js";
import { MoreRows } from "./more_rows.js";
import { isSomebodyElse, userId } from "./page.js";
import { mergeRows } from "./rows.js";
import { gather } from "./throttle.js";
import { refreshTimes } from "./times.js";

const SETTLE = 200; // milliseconds: a burst is one question
const CHANGES = new Set(["chat_message", "message_changed", "participants", "removed"]);

const list = document.querySelector("[data-rows]");
const more = new MoreRows(list, document.querySelector("[data-more]"));
const lineElement = document.getElementById("inbox-line");
const line = lineElement && new ConnectionLine(lineElement);
const source = new URL(list.dataset.source, location.href);

let cursor = list.dataset.cursor;
let started = false;
let isStale = false; // What was asked for has not come, and no cursor will say so again.

async function refresh() {
  isStale = true;
  const fresh = await getPage(source);
  const rows = fresh?.querySelector("[data-rows]");
  if (!rows) return;
  isStale = false;
  mergeLiveParts(fresh);
  mergeEmpty(fresh.getElementById("conversation-empty"));
  mergeRows(list, rows, { keepRest: more.isExtended });
  refreshTimes();
}

function mergeEmpty(fresh) {
  document.getElementById("conversation-empty")?.remove();
  if (fresh) list.before(fresh);
}

const refreshSoon = gather(refresh, SETTLE);

function receive(frame) {
  if (CHANGES.has(frame.type)) refreshSoon();
  if (frame.type === "place") {
    showPlace(frame);
    refreshSoon();
  }
  if (frame.type === "read" && String(frame.user) === userId) refreshSoon();
  // Somebody else has signed in with this browser: nothing that comes now is for this page.
  if (frame.type === "ready" && isSomebodyElse(frame.user)) return connection.end("signed_out");
  if (frame.type === "ready") line?.up();
  const speaksOfAll = frame.type === "ready" || frame.type === "heartbeat";
  if (speaksOfAll && (isStale || frame.cursor !== cursor)) {
    cursor = frame.cursor;
    refreshSoon();
  }
}

/** Sockets do not get through, or the session is over: HTTP says which. */
async function askWhy() {
  const { status } = await getJson(source);
  if (status === 401) return "signed_out";
  if (status === 200) {
    line?.up();
    refreshSoon();
  }
  return null;
}

const connection = new Connection(() => "/ws/inbox/", {
  frame: receive,
  down: (reason) => line?.down(reason),
  refused: askWhy,
});

// Beside a thread on a small screen nobody sees the list: no socket for it then.
function startWhenSeen() {
  if (started || !list.getClientRects().length) return;
  started = true;
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  connection.start();
}

window.addEventListener("resize", startWhenSeen);
document.addEventListener("messaging:read", refreshSoon);
document.addEventListener("messaging:place", refreshSoon);
startWhenSeen();
