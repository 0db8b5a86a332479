// Which rows of the blade are selected: one, or several by Ctrl, Shift and the boxes.

import { $, $$ } from "./dom.js";

export class Selection {
  /** `changed` is called after each change, with what is selected drawn already. */
  constructor(grid, changed) {
    this.grid = grid;
    this.changed = changed;
    this.keys = new Set();
    this.current = null;
    this.anchor = null;
  }

  get all() {
    return $$("tbody tr", this.grid);
  }

  /** The row that has, or gets, the focus. */
  get row() {
    return this.all.find((each) => each.dataset.key === this.current) ?? null;
  }

  get rows() {
    return this.all.filter((each) => this.keys.has(each.dataset.key));
  }

  get isSeveral() {
    return this.keys.size > 1;
  }

  has(row) {
    return this.keys.has(row.dataset.key);
  }

  #move(row, focus) {
    this.current = row?.dataset.key ?? null;
    this.draw();
    if (row && focus) row.focus();
    this.changed();
  }

  /** Select `row` alone; none without one. */
  only(row, focus = true) {
    this.keys = new Set(row ? [row.dataset.key] : []);
    this.anchor = row?.dataset.key ?? null;
    this.#move(row, focus);
  }

  /** Go to `row` and leave what is selected as it is. */
  goTo(row) {
    this.#move(row, true);
  }

  /** Take `row` in or out. */
  toggle(row) {
    const { key } = row.dataset;
    if (!this.keys.delete(key)) this.keys.add(key);
    this.anchor = key;
    this.#move(row, true);
  }

  /** Select everything from the row that was chosen last up to `row`. */
  extend(row) {
    const { all } = this;
    const from = Math.max(0, all.findIndex((each) => each.dataset.key === this.anchor));
    const to = all.indexOf(row);
    const span = all.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.keys = new Set(span.map((each) => each.dataset.key));
    this.#move(row, true);
  }

  /** Select a row alone that is drawn later. */
  chooseNext(key) {
    this.keys = new Set([key]);
    this.current = this.anchor = key;
    this.draw();
  }

  /** Select those of `keys` that are there, without taking the focus. */
  restore(keys) {
    const found = this.all.filter((row) => keys.includes(row.dataset.key));
    this.keys = new Set(found.map((row) => row.dataset.key));
    this.anchor = found[0]?.dataset.key ?? null;
    this.#move(found.at(-1) ?? null, false);
    this.row?.scrollIntoView({ block: "nearest" });
  }

  everything(on = true) {
    this.keys = new Set(on ? this.all.map((each) => each.dataset.key) : []);
    this.#move(on ? (this.row ?? this.all[0] ?? null) : null, false);
  }

  /** The rows were drawn anew: forget those that are gone. The focus of one goes to what stands in its place. */
  renew(hadFocus, place) {
    const present = new Set(this.all.map((each) => each.dataset.key));
    for (const key of this.keys) if (!present.has(key)) this.keys.delete(key);
    if (!present.has(this.current)) this.current = null;
    const { all } = this;
    const neighbour = hadFocus ? all[Math.min(place, all.length - 1)] : null;
    this.#move(this.row ?? neighbour, hadFocus);
  }

  draw() {
    const { all } = this;
    for (const each of all) {
      const is = this.has(each);
      each.setAttribute("aria-selected", String(is));
      each.tabIndex = each.dataset.key === this.current ? 0 : -1;
      // The arrow keys lead to them; without script the Tab key does.
      for (const link of $$("a", each)) link.tabIndex = -1;
      const box = $("[data-pick]", each);
      if (box) box.checked = is;
    }
    if (!this.row && all[0]) all[0].tabIndex = 0;
    this.grid.classList.toggle("several", this.isSeveral);
    const box = $("[data-pick-all]", this.grid);
    if (!box) return;
    box.checked = all.length > 0 && this.keys.size === all.length;
    box.indeterminate = this.keys.size > 0 && !box.checked;
  }
}
