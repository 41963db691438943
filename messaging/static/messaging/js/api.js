// HTTP with JSON, to the same addresses that the forms and pages have.
import { csrfFields, csrfToken, userId } from "./page.js";

const DEADLINE = 15_000; // milliseconds

// What ends a page, or says that all is well, counts in our own words alone.
const ENDS = new Set([401, 404]);

/** The answer as {status, body, retryAfter}. Status 0: the line is down, or something on the way has
 * answered: a network's log-in page, a proxy whose marketplace is starting, an answer that was cut. */
async function ask(url, options = {}) {
  try {
    const headers = { Accept: "application/json", ...options.headers };
    const answer = await fetch(url, { ...options, headers, signal: AbortSignal.timeout(DEADLINE) });
    const retryAfter = Number(answer.headers.get("Retry-After")) || undefined;
    const body = await answer.json().catch(() => null);
    const isOurs = answer.ok ? body : body?.code || !ENDS.has(answer.status);
    return { status: isOurs ? answer.status : 0, body: body ?? {}, retryAfter };
  } catch {
    return { status: 0, body: {} };
  }
}

export const getJson = (url) => ask(url);

/** A form's token is that of one session: who signs in again in another tab has a new one. Where
 * somebody else has signed in, or nobody is any more, that answers as 401 does. How a site says that
 * the token is stale is its own affair: any 403 that is none of our refusals says so. */
export async function postJson(url, fields) {
  const answer = await post(url, fields);
  if (answer.status !== 403 || answer.body.code === "forbidden") return answer;
  const reader = await renewToken();
  if (reader === userId) return post(url, fields);
  return reader === undefined ? answer : { ...answer, status: 401 };
}

function post(url, fields) {
  // Whoever else has signed in with this browser meanwhile is refused.
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), "X-For-User": userId };
  return ask(url, { method: "POST", headers, body: JSON.stringify(fields) });
}

/** Whom this page is for now, undefined where that is not known. */
async function renewToken() {
  const { page, reader } = await readPage(location.href);
  const fresh = page && csrfFields(page)[0]?.value;
  if (reader === userId && fresh) for (const field of csrfFields()) field.value = fresh;
  return reader;
}

/** A page as a document, or null when there is none to be had, or none of the same person's. */
export async function getPage(url) {
  const { page, reader } = await readPage(url);
  return reader === userId ? page : null;
}

/** {page, reader}: whom it was made for, "" for nobody. Empty when there is no page to be had. */
async function readPage(url) {
  try {
    // Signed out it leads to the log-in: not followed, because that page renews the token of its form.
    const options = { headers: { Accept: "text/html" }, redirect: "manual" };
    const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(DEADLINE) });
    if (answer.type === "opaqueredirect") return { reader: "" };
    if (!answer.ok) return {};
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return { page, reader: page.querySelector("meta[name='user-id']")?.content ?? "" };
  } catch {
    return {};
  }
}
