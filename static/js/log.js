// Output that follows by itself. Text goes in as text only.

import { $, $$, parse } from "./dom.js";
import { Failure, fragment, read } from "./net.js";
import { LogSearch } from "./search.js";
import { refreshTimes, setServerTime } from "./times.js";

const FAST_MS = 300;
const QUIET_MS = 2000;
const IDLE_MS = 5000;
// Without new output for so long it counts as quiet, then as idle.
const QUIET_AFTER_MS = 10000;
const IDLE_AFTER_MS = 60000;
// More lines than these in the page, while it follows, and the oldest leave it.
const MAX_LINES = 6000;
const NEAR_END_PX = 40;
const PAST_THE_END = "999999999999999999";
// The box with the lines, when it takes the room that the window has left.
const LOWEST_PX = 240;
const BELOW_PX = 20;

const clock = (ms) => {
  const date = new Date(ms);
  const two = (value) => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

const exact = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "medium",
  timeStyle: "long",
});

class LogPane {
  constructor(root) {
    this.root = root;
    this.url = root.dataset.log;
    this.box = $(".log-box", root);
    this.lines = $(".log-lines", root);
    this.end = Number(root.dataset.end);
    this.firstKept = Number(root.dataset.firstKept);
    this.over = "over" in root.dataset;
    this.status = $("#summary")?.dataset.status ?? "";
    this.sticks = true;
    // What follows by itself is the end only: elsewhere it takes a click to go on.
    this.detached = false;
    this.movedAt = Date.now();
    this.timer = 0;
    this.#listen();
    this.#fit();
    this.toEnd();
    if (!this.over) this.#next(FAST_MS);
    this.#openHash();
  }

  /** Times are written only when they are asked for: a page has thousands of lines. */
  #drawClocks() {
    if (!this.lines.classList.contains("times")) return;
    for (const line of this.lines.children) line.dataset.clock ??= clock(Number(line.dataset.at));
  }

  /** As high as the window has room for, so that the end is in sight; else as the style says. */
  #fit() {
    this.box.style.height = "";
    const top = this.box.getBoundingClientRect().top + scrollY;
    const room = innerHeight - top - BELOW_PX;
    if (room > LOWEST_PX) this.box.style.height = `${room}px`;
    if (this.sticks) this.toEnd();
  }

  #listen() {
    addEventListener("resize", () => this.#fit());
    this.box.addEventListener("scroll", () => {
      this.sticks = this.#isAtEnd();
      if (this.sticks) $(".log-new", this.root).hidden = true;
    });
    $(".log-earlier", this.root).addEventListener("click", () => this.earlier());
    $(".log-later", this.root).addEventListener("click", () => this.later());
    $(".log-top", this.root).addEventListener("click", () => this.toStart());
    $(".log-bottom", this.root).addEventListener("click", () => this.toLatest());
    $(".log-new", this.root).addEventListener("click", () => this.toLatest());
    $(".log-refresh", this.root)?.addEventListener("click", (event) => {
      event.preventDefault();
      this.poll();
    });
    for (const name of ["numbers", "times", "wrap"]) {
      const box = $(`.log-${name}`, this.root);
      const kept = localStorage.getItem(`log-${name}`);
      if (kept !== null) box.checked = kept === "1";
      const apply = () => {
        this.lines.classList.toggle(name, box.checked);
        localStorage.setItem(`log-${name}`, box.checked ? "1" : "0");
        this.#drawClocks();
      };
      box.addEventListener("change", apply);
      apply();
    }
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.over) this.poll();
    });
    this.root.closest("details")?.addEventListener("toggle", () => this.sticks && this.toEnd());
    this.lines.addEventListener("mouseover", (event) => {
      const line = event.target.closest(".line");
      if (line && !line.title) line.title = exact.format(Number(line.dataset.at));
    });
    this.lines.addEventListener("click", (event) => {
      // The number stands left of the text, outside of it.
      const line = event.target.closest(".line");
      const left = line && event.clientX - line.getBoundingClientRect().left;
      if (!line || left > 64 || !this.lines.classList.contains("numbers")) return;
      const number = Number(line.dataset.n);
      this.#choose(event.shiftKey && this.chosen ? this.chosen[0] : number, number);
      const [first, last] = this.chosen;
      history.replaceState(null, "", `#L${first}${last > first ? `-L${last}` : ""}`);
    });
    addEventListener("hashchange", () => this.#openHash());
  }

  #choose(one, other) {
    this.chosen = [Math.min(one, other), Math.max(one, other)];
    for (const line of this.lines.children) this.#drawChosen(line);
  }

  #drawChosen(line) {
    const [first, last] = this.chosen ?? [1, 0];
    const number = Number(line.dataset.n);
    line.classList.toggle("chosen", first <= number && number <= last);
  }

  async #openHash() {
    const [, one, other] = /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash) ?? [];
    if (!Number(one)) return;
    this.#choose(Number(one), Number(other ?? one));
    const line = await this.reveal(this.chosen[0]);
    if (line) this.center(line);
  }

  /** The line `number`, brought into the page if need be; the part of it that has `offset`. */
  async reveal(number, offset) {
    const isShown = (line) => line && (offset === undefined || Number(line.dataset.o) === offset);
    this.sticks = false;
    const ways = [`?line=${Math.max(1, number - 100)}`, `?line=${number}`, `?after=${offset ?? 0}`];
    while (!isShown(this.#line(number)) && ways.length) await this.#replace(ways.shift());
    return this.#line(number);
  }

  /** Scroll so that a line, or a place in one, stands in the middle. */
  center(place) {
    const { top, bottom } = place.getBoundingClientRect();
    const box = this.box.getBoundingClientRect();
    this.box.scrollTop += (top + bottom - box.top - box.bottom) / 2;
    this.sticks = false;
  }

  /** The number of the first line in sight. */
  topLine() {
    const { top } = this.box.getBoundingClientRect();
    const shown = [...this.lines.children].find((line) => line.getBoundingClientRect().bottom > top);
    return Number(shown?.dataset.n ?? 1);
  }

  #line(number) {
    return $(`.line[data-n="${number}"]`, this.lines);
  }

  #isAtEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR_END_PX;
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    $(".log-new", this.root).hidden = true;
  }

  async toLatest() {
    if (this.detached) await this.#replace(`?before=${PAST_THE_END}`);
    this.sticks = true;
    this.toEnd();
    if (!this.over) this.poll();
  }

  async toStart() {
    if (this.start > this.firstKept) await this.#replace("?line=1");
    this.sticks = false;
    this.box.scrollTop = 0;
  }

  /** Show another part of the log in place of this one. */
  async #replace(query) {
    const data = await this.#read(query);
    if (!data) return;
    this.lines.replaceChildren(...data.lines.map((line) => this.#made(line)));
    this.end = data.end;
    this.detached = data.end < data.size;
    this.#drawEdges(data);
  }

  #drawEdges(data) {
    $(".log-later", this.root).hidden = !this.detached;
    this.firstKept = data.first_kept;
    this.#drawClocks();
    $(".log-earlier", this.root).hidden = this.start <= this.firstKept;
    $(".log-empty", this.root).hidden = this.lines.childElementCount > 0;
  }

  /** The offset of the first line in the page. */
  get start() {
    return Number(this.lines.firstElementChild?.dataset.o ?? this.end);
  }

  #made([number, stream, at, text, offset]) {
    const line = document.createElement("div");
    line.className = `line s${stream}`;
    Object.assign(line.dataset, { n: number, o: offset, at });
    line.textContent = text;
    this.#drawChosen(line);
    return line;
  }

  async #read(query) {
    try {
      return await read(this.url + query);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if ([401, 403, 404].includes(error.status)) this.over = true;
      return null;
    }
  }

  async earlier() {
    const data = await this.#read(`?before=${this.start}`);
    if (!data) return;
    const height = this.box.scrollHeight;
    const first = this.lines.firstElementChild;
    const made = data.lines.map((line) => this.#made(line));
    if (first && made.length && made.at(-1).dataset.n === first.dataset.n) {
      const begun = made.pop();
      first.textContent = begun.textContent + first.textContent;
      first.dataset.o = begun.dataset.o;
    }
    this.lines.prepend(...made);
    this.sticks = false;
    this.box.scrollTop += this.box.scrollHeight - height;
    this.#drawEdges(data);
  }

  async later() {
    const data = await this.#read(`?after=${this.end}`);
    if (!data) return;
    this.#append(data);
    this.detached = data.end < data.size;
    this.#drawEdges(data);
  }

  #next(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), ms);
  }

  async poll() {
    clearTimeout(this.timer);
    if (this.busy) return;
    this.busy = true;
    const from = this.detached ? PAST_THE_END : this.end;
    let data = null;
    try {
      if (document.hidden) return;
      data = await this.#read(`?after=${from}`);
    } finally {
      this.busy = false;
    }
    if (data) this.#show(data, from);
    if (this.over) return;
    const quiet = Date.now() - this.movedAt;
    const more = data && data.end < data.size && !this.detached;
    const pause = quiet > IDLE_AFTER_MS ? IDLE_MS : quiet > QUIET_AFTER_MS ? QUIET_MS : FAST_MS;
    this.#next(more ? 0 : data ? pause : IDLE_MS);
  }

  #show(data, from) {
    setServerTime(data.now);
    if (data.status !== this.status) {
      this.status = data.status;
      this.movedAt = Date.now();
      refreshSummary();
    }
    // Another part of the log may have been called for since this one was.
    if (from === this.end) {
      this.#append(data);
      this.#drawEdges(data);
    }
    this.#drawRefreshed(data.now);
    // Over only when whoever writes it has ended and all it wrote is here; a writer that was
    // lost never says that it has ended.
    const silent = Date.now() - this.movedAt > IDLE_AFTER_MS;
    const here = this.detached || data.end >= data.size;
    this.over = data.final && (data.complete || silent) && here;
    if (this.over) this.#finish();
  }

  #append(data) {
    if (!data.lines.length) return;
    this.movedAt = Date.now();
    const found = data.lines;
    const last = this.lines.lastElementChild;
    let rest = 0;
    if (last && Number(last.dataset.n) === found[0][0]) {
      last.append(found[0][3]);
      rest = 1;
    }
    const made = document.createDocumentFragment();
    for (const line of found.slice(rest)) made.append(this.#made(line));
    this.lines.append(made);
    this.end = data.end;
    if (this.sticks) this.#trim();
    if (this.sticks) this.toEnd();
    else $(".log-new", this.root).hidden = this.over || this.detached;
  }

  #trim() {
    const extra = this.lines.childElementCount - MAX_LINES;
    if (extra <= 0) return;
    const range = document.createRange();
    range.setStart(this.lines, 0);
    range.setEnd(this.lines, extra);
    range.deleteContents();
  }

  #drawRefreshed(now) {
    const time = $(".refreshed", this.root);
    if (!time) return;
    time.dateTime = now;
    refreshTimes(time.parentElement);
  }

  #finish() {
    const state = $(".log-state", this.root);
    const download = $("a[target]", state);
    state.replaceChildren(download);
    if (!this.lines.childElementCount) {
      $(".log-empty", this.root).textContent = gettext("There is no output.");
    }
    refreshSummary();
  }
}

async function refreshSummary() {
  const summary = $("#summary");
  if (!summary || $(".confirm")) return;
  const answer = await fragment(location.pathname).catch(() => null);
  if (!answer) return;
  summary.replaceChildren(parse(answer.html));
  refreshTimes(summary);
}

for (const root of $$(".log")) new LogSearch(new LogPane(root));
