// What a closed socket asks for. 44xx and everything the network does: come back. 45xx: do not.
const FLOOD_PAUSE = 10_000; // milliseconds
const LATER_PAUSE = 5_000;
const RESTART_SPREAD = 3_000; // Everybody is told at once: they must not come back at once.

const PAUSES = {
  4412: () => Math.random() * RESTART_SPREAD,
  4413: () => LATER_PAUSE * (1 + Math.random()),
  4429: () => FLOOD_PAUSE * (1 + Math.random()),
};

// A new password changes the key of the very session in which it was set. That one lives on, and the
// browser has its new key when the answer has come.
const NEW_KEY_PAUSE = 2_000;

/** `end`: why not to come back; `asksAfter`: ask over HTTP then (ms), and only who is still signed in
 * comes back; `whenLookedAt`: only when somebody looks; `pause`: at least, in ms. */
export function afterClose(code) {
  if (code === 4501) return { asksAfter: NEW_KEY_PAUSE, pause: 0 };
  if (code >= 4500 && code < 4600) return { end: "gone" };
  return { whenLookedAt: code === 4430, pause: PAUSES[code]?.() ?? 0 };
}
