// Groups of lines that can be folded, also where their end is far outside of the page.

import { asked, keep } from "./address.js";
import { $$, make } from "./dom.js";
import { say } from "./live.js";
import { numberOf } from "./log-lines.js";
import { Failure, read } from "./net.js";

// Groups that the address tells of at most.
const MOST_NOTED = 50;

export class LogGroups {
  constructor(view) {
    this.view = view;
    // By the number of the line that begins each: the end, as far as it is known, and the folded.
    this.ends = new Map();
    this.folded = new Map();
    this.seen = new Set();
    // Those that the viewer has folded or opened, other than the log has them; the address keeps it.
    this.changed = new Set((asked("groups") ?? "").split(",").map(Number).filter(Boolean));
    // Those of which lines were left out of the page.
    this.left = new Set();
    view.skip = () => this.#skip();
    view.addEventListener("change", (event) => this.#update(event.detail));
    view.lines.addEventListener("click", (event) => {
      const button = event.target.closest(".fold");
      if (button) this.#toggle(button.parentElement);
    });
    this.#update("all");
  }

  #update(where) {
    const marked = $$(".line[data-begins], .line[data-ends]", this.view.lines);
    const open = {};
    for (const line of marked) {
      for (const key of line.dataset.ends?.split(" ") ?? []) {
        const begun = open[key]?.pop();
        if (begun !== undefined) this.ends.set(begun, numberOf(line));
      }
      if (line.dataset.begins) (open[line.dataset.begins] ??= []).push(numberOf(line));
    }
    if (where === "earlier") this.#openAbove();
    for (const line of marked) if (line.dataset.begins) this.#decorate(line, where);
    this.#apply();
  }

  #decorate(line, where) {
    const number = numberOf(line);
    if (!line.firstElementChild?.classList.contains("fold")) {
      const button = make("button", { type: "button", class: "fold", "aria-expanded": "true" });
      button.setAttribute("aria-label", line.textContent || gettext("Group"));
      line.classList.add("group");
      line.prepend(button);
    }
    if (this.seen.has(number)) return;
    this.seen.add(number);
    // What is in sight already stays in sight.
    const isFolded = ("folded" in line.dataset) !== this.changed.has(number);
    if (isFolded && where !== "earlier") this.#fold(line);
  }

  async #toggle(line) {
    const number = numberOf(line);
    if (this.folded.has(number)) this.unfold(number);
    else await this.#fold(line, true);
    if (this.folded.has(number) === ("folded" in line.dataset)) this.changed.delete(number);
    else this.changed.add(number);
    keep({ groups: [...this.changed].slice(-MOST_NOTED).join(",") });
  }

  async #fold(line, isAsked = false) {
    const number = numberOf(line);
    const end = this.ends.get(number) ?? (await this.#find(line));
    // One that has not ended yet stays open: what comes next would not be seen.
    if (!end) {
      if (isAsked) say((line.title = gettext("This group has not ended yet.")));
      return;
    }
    this.ends.set(number, end);
    this.folded.set(number, end);
    this.view.keepPlace(() => this.#apply());
    this.view.fill();
  }

  /** The line that ends a group whose end is not in the page. */
  async #find(line) {
    const question = new URLSearchParams({ group: line.dataset.begins, line: numberOf(line) });
    let found = null;
    try {
      do {
        if (found) question.set("from", found.from);
        if (found) question.set("depth", found.depth);
        found = await read(`${this.view.url}?${question}`);
      } while (!found.done);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
    return found?.line ?? null;
  }

  async unfold(number) {
    const end = this.folded.get(number);
    this.folded.delete(number);
    const isWhole = !this.view.hasLater || this.view.line(end) || this.#last <= end;
    if (isWhole && !this.left.has(number)) {
      this.view.keepPlace(() => this.#apply());
      return;
    }
    this.left.delete(number);
    await this.view.replace(`?line=${Math.max(1, number - 20)}`);
    const line = this.view.line(number);
    line?.scrollIntoView({ block: "start" });
    line?.firstElementChild?.focus({ preventScroll: true });
  }

  /** Open every group that the line `number` is in. */
  open(number) {
    for (const [begin, end] of this.folded) {
      if (begin >= number || number > end) continue;
      this.folded.delete(begin);
      // With a gap in it the page is of no use: it is to be fetched anew.
      if (this.left.delete(begin)) this.view.lines.replaceChildren();
    }
    this.#apply();
  }

  get #last() {
    const line = this.view.lines.lastElementChild;
    return line ? numberOf(line) : 0;
  }

  /** The line behind the folded group that the page ends in; null: it ends in none. */
  #skip() {
    const last = this.#last;
    for (const [begin, end] of this.folded) {
      if (begin <= last && last < end) {
        this.left.add(begin);
        return end + 1;
      }
    }
    return null;
  }

  /** Groups whose beginning is above the page are open: there is nothing to open them by. */
  #openAbove() {
    const first = this.view.lines.firstElementChild;
    if (!first) return;
    for (const [begin, end] of this.folded) {
      if (begin < numberOf(first) && numberOf(first) <= end) this.folded.delete(begin);
    }
  }

  #apply() {
    const folded = [...this.folded];
    const isAway = (number) => folded.some(([begin, end]) => begin < number && number <= end);
    for (const line of this.view.lines.children) {
      const number = numberOf(line);
      line.classList.toggle("away", folded.length > 0 && isAway(number));
      const button = line.classList.contains("group") ? line.firstElementChild : null;
      button?.setAttribute("aria-expanded", String(!this.folded.has(number)));
    }
  }
}
