// The values of settings that the server told on request, and which of them are to be seen.

import { reveal } from "./copy.js";
import { $, icon } from "./dom.js";

const key = (item) => item.was.toLowerCase() || item.name.toLowerCase();

export class Values {
  /** `url` tells values, and records that; `button` shows and hides all of them. */
  constructor(url, button) {
    this.url = url;
    this.button = button;
    this.forget();
  }

  forget() {
    // By lower-case name.
    this.revealed = new Map();
    this.shown = new Set();
    this.#drawButton(false);
  }

  #drawButton(on) {
    const { button } = this;
    button.setAttribute("aria-pressed", String(on));
    button.dataset.off ??= $("span", button).textContent;
    $("span", button).textContent = on ? button.dataset.on : button.dataset.off;
    $("svg", button).replaceWith(icon(on ? "eye-off" : "eye"));
  }

  /** As it was changed to, else as the server told it. */
  of(item) {
    return item.value ?? this.revealed.get(key(item)) ?? "";
  }

  isShown(item) {
    return this.shown.has(key(item));
  }

  /** The value of `item` on the server, when it was told. */
  told(item) {
    return this.revealed.get(key(item));
  }

  /** Ask for one value by `name`, or for all. */
  async fetch(name = "") {
    const { values } = await reveal(this.url, name ? { name } : {});
    for (const [each, value] of Object.entries(values)) this.revealed.set(each.toLowerCase(), value);
    return values;
  }

  async toggle(item) {
    if (this.shown.delete(key(item))) return;
    if (item.value === null && !this.revealed.has(key(item))) await this.fetch(item.was);
    this.shown.add(key(item));
  }

  async toggleAll(items) {
    const on = this.button.getAttribute("aria-pressed") !== "true";
    if (on) await this.fetch();
    this.shown = new Set(on ? items.map(key) : []);
    this.#drawButton(on);
  }
}
