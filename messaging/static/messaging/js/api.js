// HTTP with JSON, to the same addresses that the forms and pages have.
import { csrfToken } from "./page.js";

const DEADLINE = 15_000; // milliseconds

/** The answer as {status, body, retryAfter}. Status 0: the line is down. */
async function ask(url, options = {}) {
  try {
    const headers = { Accept: "application/json", ...options.headers };
    const answer = await fetch(url, { ...options, headers, signal: AbortSignal.timeout(DEADLINE) });
    const retryAfter = Number(answer.headers.get("Retry-After")) || undefined;
    return { status: answer.status, body: await answer.json().catch(() => ({})), retryAfter };
  } catch {
    return { status: 0, body: {} };
  }
}

export const getJson = (url) => ask(url);

export function postJson(url, fields) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  return ask(url, { method: "POST", headers, body: JSON.stringify(fields) });
}

/** A page as a document, or null when there is none to be had. */
export async function getPage(url) {
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(DEADLINE) });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}
