// A question that was asked from a listing's page has arrived once its thread shows it: then the
// copy kept on the device can go. It may have been written before its author signed in.
import { Store } from "./store.js";

/** `ids`: the client's ids of one's own messages in this thread. */
export function forgetSentAsks(ids, person) {
  for (const store of [new Store(person), new Store("")]) {
    for (const name of store.names("ask.")) {
      if (ids.has(store.read(name, {}).id)) store.remove(name);
    }
  }
}
