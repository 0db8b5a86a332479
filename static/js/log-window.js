// The part of a log that is in the page: a window that moves, of a bounded number of lines.

import { $, isFocusLost } from "./dom.js";
import { addBefore, addTo, makeLine, numberOf } from "./log-lines.js";
import { Failure, read } from "./net.js";

const MAX_LINES = 3000;
// Coloured text has many elements in a line; with so many of them fewer lines are kept.
const MAX_NODES = 20000;
const MIN_LINES = 300;
// Nearer to an edge than this, more is fetched.
const EDGE_PX = 1200;
// Pages without anything to see, of folded groups say, that are fetched one after the other.
const MAX_BLIND = 50;
// Bytes at the end that the server holds back: of a character, or a carriage return.
const HELD_BACK = 4;
export const PAST_THE_END = "999999999999999999";

export class LogWindow extends EventTarget {
  constructor(root) {
    super();
    this.root = root;
    this.url = root.dataset.log;
    this.box = $(".log-box", root);
    this.lines = $(".log-lines", root);
    this.stream = root.dataset.stream;
    // Offsets of what is in the page, and of what there is.
    for (const name of ["start", "end", "size", "count", "firstKept"]) {
      this[name] = Number(root.dataset[name]);
    }
    // The line to go on with below, when a folded group is left out.
    this.skip = () => null;
    this.turn = Promise.resolve();
    this.box.addEventListener("scroll", () => this.fill(), { passive: true });
  }

  get hasEarlier() {
    return this.start > this.firstKept;
  }

  get hasLater() {
    return this.size - this.end > HELD_BACK;
  }

  line(number) {
    return $(`.line[data-n="${number}"]`, this.lines);
  }

  /** The first line in sight. */
  get topLine() {
    const { top, left } = this.box.getBoundingClientRect();
    for (const below of [12, 24, 40]) {
      const found = document.elementFromPoint(left + 80, top + below)?.closest(".line");
      if (found && this.lines.contains(found)) return found;
    }
    return [...this.lines.children].find((line) => line.getBoundingClientRect().bottom > top);
  }

  /** One answer of the server; null: there is none now, or, when it `isGone`, ever. */
  async ask(query) {
    const stream = this.stream ? `&stream=${this.stream}` : "";
    try {
      return await read(this.url + query + stream);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if ([401, 403, 404].includes(error.status)) this.isGone = true;
      return null;
    }
  }

  /** Show another part of the log in place of this one. */
  replace(query) {
    return this.#inTurn(async () => {
      const data = await this.ask(query);
      if (!data) return;
      this.#keepFocus(() => {
        this.lines.replaceChildren(...data.lines.map(makeLine));
        this.start = data.start;
        this.end = data.end;
        this.#changed(data);
      });
    });
  }

  /** The last lines there are. */
  toLatest() {
    return this.replace(`?before=${PAST_THE_END}`);
  }

  earlier() {
    return this.#inTurn(async () => {
      const { start } = this;
      if (!this.hasEarlier) return;
      const data = await this.ask(`?before=${start}`);
      if (!data || start !== this.start) return;
      const prepend = () => {
        const made = data.lines.map(makeLine);
        const first = this.lines.firstElementChild;
        if (first && made.length && numberOf(made.at(-1)) === numberOf(first)) {
          addBefore(first, made.pop());
        }
        this.lines.prepend(...made);
        this.start = data.start;
        this.#trimBottom();
        this.#changed(data, "earlier");
      };
      this.#keepFocus(() => this.keepPlace(prepend));
    });
  }

  later() {
    return this.#inTurn(async () => {
      const { end } = this;
      if (!this.hasLater) return;
      const skip = this.skip();
      const data = await this.ask(skip ? `?line=${skip}` : `?after=${end}`);
      // Following may have brought the same in the meantime.
      if (data && end === this.end) this.keepPlace(() => this.append(data, !skip));
    });
  }

  /** Add what follows; the oldest lines leave the page. */
  append(data, goesOn = true) {
    let found = data.lines;
    const last = this.lines.lastElementChild;
    if (last && found.length && goesOn && numberOf(last) === found[0][0]) {
      addTo(last, found[0]);
      found = found.slice(1);
    }
    const made = document.createDocumentFragment();
    for (const line of found) made.append(makeLine(line));
    this.#keepFocus(() => {
      this.lines.append(made);
      this.end = data.end;
      this.#trimTop();
      this.#changed(data, "later");
    });
  }

  /** A line or a link that had the focus may leave the page: then the box has it. */
  #keepFocus(change) {
    const had = this.box.contains(document.activeElement);
    change();
    if (had && isFocusLost()) this.box.focus({ preventScroll: true });
  }

  /** Change the lines while what is in sight stays where it is. */
  keepPlace(change) {
    const line = this.topLine;
    const before = line?.getBoundingClientRect().top;
    change();
    if (line?.isConnected) this.box.scrollTop += line.getBoundingClientRect().top - before;
  }

  /** Fetch more while an edge is near. */
  async fill() {
    if (this.filling || this.box.clientHeight === 0) return;
    this.filling = true;
    for (let times = 0; times < MAX_BLIND; times += 1) {
      const { scrollTop, scrollHeight, clientHeight } = this.box;
      const before = [this.start, this.end].join();
      if (scrollTop < EDGE_PX && this.hasEarlier) await this.earlier();
      else if (scrollHeight - scrollTop - clientHeight < EDGE_PX && this.hasLater) await this.later();
      if (before === [this.start, this.end].join()) break;
    }
    this.filling = false;
  }

  /** What the server said last about the log as a whole. */
  learn(data) {
    this.size = data.size;
    this.count = data.count;
    this.firstKept = data.first_kept;
  }

  #changed(data, where = "all") {
    this.learn(data);
    $(".log-earlier", this.root).hidden = !this.hasEarlier;
    $(".log-later", this.root).hidden = !this.hasLater;
    $(".log-empty", this.root).hidden = this.lines.childElementCount > 0;
    this.dispatchEvent(new CustomEvent("change", { detail: where }));
  }

  #inTurn(work) {
    this.turn = this.turn.then(work, work);
    return this.turn;
  }

  /** How many lines are too many. */
  get #extra() {
    const lines = this.lines.childElementCount;
    const nodes = this.lines.getElementsByTagName("*").length;
    const room = nodes > MAX_NODES ? Math.floor((lines * MAX_NODES) / nodes) : MAX_LINES;
    return lines - Math.max(MIN_LINES, Math.min(MAX_LINES, room));
  }

  #trimTop() {
    const extra = this.#extra;
    if (extra <= 0) return;
    remove(this.lines, 0, extra);
    this.start = Number(this.lines.firstElementChild.dataset.o);
  }

  #trimBottom() {
    const extra = this.#extra;
    if (extra <= 0) return;
    const count = this.lines.childElementCount;
    this.end = Number(this.lines.children[count - extra].dataset.o);
    remove(this.lines, count - extra, count);
  }
}

function remove(parent, from, to) {
  const range = document.createRange();
  range.setStart(parent, from);
  range.setEnd(parent, to);
  range.deleteContents();
}
