// Who signs out leaves nothing of theirs on the device.
import { userId } from "./page.js";
import { Store } from "./store.js";

const ends = [...document.querySelectorAll("form[data-sign-out]")].map((form) => form.action);

document.addEventListener("submit", (event) => {
  if (!ends.includes(event.target.action)) return;
  new Store(userId).forget();
  new Store("").forget();
});
