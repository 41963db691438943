// A message over HTTP: what became of it, in the words that a socket would have for it.
import { postJson } from "./api.js";
import { phrase } from "./page.js";

/** {ack} or {error}, as frames; or {end}: signed_out, gone, or offline where no answer of ours came. */
export async function postMessage(url, message) {
  const { status, body, retryAfter } = await postJson(url, message);
  const id = message.client_message_id;
  const isStored = typeof body.sequence === "number";
  if (isStored && (status === 200 || status === 201)) return { ack: { client_message_id: id, ...body } };
  if (status === 401) return { end: "signed_out" };
  if (status === 404) return { end: "gone" };
  if (status < 400) return { end: "offline" };
  return { error: { retry_after: retryAfter, ...explain(status, body), client_message_id: id } };
}

/** A proxy answers in no words of ours: what it could not pass on now may pass later. */
function explain(status, body) {
  if (body.code) return body;
  return status === 429 || status >= 500 ? { code: "unavailable" } : { code: "refused", detail: phrase("refused") };
}
