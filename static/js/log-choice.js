// Choosing lines by their numbers, links to them, and copying.

import { toClipboard } from "./copy.js";
import { $ } from "./dom.js";
import { say } from "./live.js";
import { numberOf } from "./log-lines.js";
import { numberWords } from "./times.js";
import { toast } from "./toasts.js";

// Lines that one click copies at most.
const MAX_COPIED = 20000;
const LINK = /^#L(\d{1,15})(?:-L?(\d{1,15}))?$/;
// Lines that are shown before one that is named, so that it does not stand alone.
export const LINES_BEFORE = 100;

export class LogChoice {
  constructor(pane) {
    this.pane = pane;
    this.view = pane.view;
    this.lines = pane.view.lines;
    this.#listen();
  }

  #listen() {
    const { root } = this.view;
    this.view.addEventListener("change", () => this.#draw());
    this.lines.addEventListener("click", (event) => this.#clicked(event));
    this.lines.addEventListener("copy", (event) => this.#copied(event));
    $(".log-copy", root).addEventListener("click", () => this.copy());
    $(".log-line", root).addEventListener("change", (event) => {
      // "120" or "120-140"; the digits may be grouped.
      const [one, other] = event.target.value.split(/[-–]/).map((part) => Number(part.replace(/\D/g, "")));
      if (one) this.#go(one, other || one);
      event.target.value = "";
    });
    addEventListener("hashchange", () => this.openLink());
  }

  #clicked(event) {
    // The number stands left of the text, outside of it.
    const line = event.target.closest(".line");
    if (!line || event.target.closest("button") || !this.lines.classList.contains("numbers")) return;
    const gutter = parseFloat(getComputedStyle(line).paddingLeft) - 8;
    if (event.clientX - line.getBoundingClientRect().left > gutter) return;
    const number = numberOf(line);
    this.#choose(event.shiftKey && this.chosen ? this.chosen[0] : number, number);
  }

  #choose(one, other) {
    this.chosen = [Math.min(one, other), Math.max(one, other)];
    const [first, last] = this.chosen;
    const address = new URL(location.href);
    // Of a long log the server draws that part at once, without script too.
    if (this.view.hasEarlier || this.view.hasLater) {
      address.searchParams.set("line", Math.max(1, first - LINES_BEFORE));
    }
    address.hash = `L${first}${last > first ? `-L${last}` : ""}`;
    history.replaceState(history.state, "", address);
    this.#draw();
  }

  #draw() {
    const [first, last] = this.chosen ?? [1, 0];
    for (const line of this.lines.children) {
      const number = numberOf(line);
      line.classList.toggle("chosen", first <= number && number <= last);
    }
  }

  /** Show the lines that the address names. */
  async openLink() {
    const [, one, other] = LINK.exec(location.hash) ?? [];
    if (Number(one)) await this.#go(Number(one), Number(other ?? one));
  }

  async #go(one, other) {
    this.#choose(one, other);
    const line = await this.pane.reveal(this.chosen[0]);
    if (!line) return;
    this.pane.center(line);
    say(`${numberWords(numberOf(line))}: ${line.textContent}`);
  }

  /** Copy the chosen lines, wherever in the log they are, else those in sight. */
  async copy() {
    const texts = this.chosen ? await this.#read(...this.chosen) : this.#inSight();
    await toClipboard(texts.join("\n"));
    const words = ngettext("%(count)s line copied", "%(count)s lines copied", texts.length);
    toast("success", interpolate(words, { count: numberWords(texts.length) }, true));
  }

  #inSight() {
    const { top, bottom } = this.view.box.getBoundingClientRect();
    return [...this.lines.children]
      .filter((line) => {
        const place = line.getBoundingClientRect();
        return place.height && place.bottom > top + 1 && place.top < bottom - 1;
      })
      .map((line) => line.textContent);
  }

  async #read(first, last) {
    const texts = new Map();
    let query = `?line=${first}`;
    while (query && texts.size < MAX_COPIED) {
      const data = await this.view.ask(query);
      for (const [number, , , text, , more] of data?.lines ?? []) {
        if (number < first || number > last) continue;
        const words = typeof text === "string" ? text : text.map(([part]) => part).join("");
        texts.set(number, (more?.replaces ? "" : (texts.get(number) ?? "")) + words);
      }
      const reached = data?.lines.at(-1)?.[0] ?? last;
      query = data && reached <= last && data.end < data.size ? `?after=${data.end}` : "";
    }
    return [...texts.values()];
  }

  /** Empty lines, and the ends of lines, are copied as they are in the output. */
  #copied(event) {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    const texts = [...this.lines.children]
      .filter((line) => !line.classList.contains("away") && range.intersectsNode(line))
      .map((line) => textIn(line, range));
    event.clipboardData.setData("text/plain", texts.join("\n"));
    event.preventDefault();
  }
}

function textIn(line, range) {
  const part = document.createRange();
  part.selectNodeContents(line);
  if (line.contains(range.startContainer)) part.setStart(range.startContainer, range.startOffset);
  if (line.contains(range.endContainer)) part.setEnd(range.endContainer, range.endOffset);
  return part.toString();
}
