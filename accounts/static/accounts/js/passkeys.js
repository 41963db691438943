// Forms that a passkey answers. The server's question stands in the page (`data-options`: the id of
// a JSON script) or is asked for (`data-options-url`); the answer goes into the field `credential`.

const BINARY_IN = new Set(["challenge", "id"]);

export function fromBase64(text) {
  const plain = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(plain), (character) => character.charCodeAt(0));
}

export function toBase64(buffer) {
  const characters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
  return btoa(characters.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The same question with bytes where JSON has base64: `challenge`, and every `id` but the site's. */
export function readQuestion(value, key = "") {
  if (typeof value === "string") return BINARY_IN.has(key) ? fromBase64(value) : value;
  if (Array.isArray(value)) return value.map((item) => readQuestion(item));
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([name, item]) => {
    return [name, name === "rp" ? item : readQuestion(item, name)];
  });
  return Object.fromEntries(entries);
}

/** What `navigator.credentials` gave, as JSON with base64. */
export function writeAnswer(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const given = parts.filter((name) => response[name]);
  const answer = Object.fromEntries(given.map((name) => [name, toBase64(response[name])]));
  if (response.getTransports) answer.transports = response.getTransports();
  return {
    type: credential.type,
    id: credential.id,
    rawId: toBase64(credential.rawId),
    authenticatorAttachment: credential.authenticatorAttachment,
    response: answer,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function loadQuestion(form) {
  if (form.dataset.options) {
    return JSON.parse(document.getElementById(form.dataset.options).textContent);
  }
  const answer = await fetch(form.dataset.optionsUrl, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`no question: ${answer.status}`);
  return (await answer.json()).request_options;
}

/** Only a passkey that lives in the device, and knows who it is for, signs in without a password. */
function chooseKind(publicKey, form) {
  const box = form.elements.passwordless;
  if (!box) return;
  publicKey.authenticatorSelection = {
    ...publicKey.authenticatorSelection,
    residentKey: box.checked ? "required" : "discouraged",
    requireResidentKey: box.checked,
    ...(box.checked ? { userVerification: "required" } : {}),
  };
}

async function answerWithPasskey(form) {
  const { publicKey } = readQuestion(await loadQuestion(form));
  chooseKind(publicKey, form);
  const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
  form.elements.credential.value = JSON.stringify(writeAnswer(credential));
  form.submit();
}

function watch(form) {
  const failed = form.querySelector("[data-passkey-failed]");
  const missing = form.querySelector("[data-passkey-missing]");
  const button = form.querySelector("[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = missing.hidden = true;
    if (!window.PublicKeyCredential) {
      missing.hidden = false;
      return;
    }
    button.disabled = true;
    try {
      await answerWithPasskey(form);
    } catch {
      failed.hidden = false; // Cancelled, too slow, or a key that this site does not know.
      button.disabled = false;
      button.focus();
    }
  });
}

for (const form of document.querySelectorAll("[data-passkey]")) watch(form);
