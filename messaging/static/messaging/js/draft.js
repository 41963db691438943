// What somebody has begun to write stays on the device until it is sent.
export class Draft {
  #field;
  #store;
  #name;

  constructor({ field, store, name }) {
    this.#field = field;
    this.#store = store;
    this.#name = name;
    // What the server sent along (a refused text) is newer than what is kept here.
    if (!field.value) field.value = store.read(name, "");
    field.addEventListener("input", () => this.keep());
  }

  keep() {
    if (this.#field.value.trim()) this.#store.write(this.#name, this.#field.value);
    else this.#store.remove(this.#name);
  }
}
