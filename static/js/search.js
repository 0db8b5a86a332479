// Searching a log: the server finds, step by step; the page shows where.

import { asked, keep } from "./address.js";
import { $ } from "./dom.js";
import { say } from "./live.js";
import { Failure, read } from "./net.js";
import { ranges } from "./search-ranges.js";
import { numberWords } from "./times.js";

const TYPING_MS = 300;
// Matches that are fetched when the known ones are used up.
const MORE = 200;
// As many as the first search keeps; the others are counted, and fetched when it comes to them.
const KEPT = 1000;
// Of a line that is read out.
const MOST_SAID = 300;

export class LogSearch {
  constructor(pane) {
    this.pane = pane;
    this.form = $(".log-search", pane.root);
    this.input = $("input[type=search]", this.form);
    this.count = $(".search-count", this.form);
    this.url = `${pane.url}/search`;
    this.turn = Promise.resolve();
    this.#clear();
    this.#listen();
  }

  #listen() {
    let timer = 0;
    this.input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.start(), TYPING_MS);
    });
    for (const name of ["regex", "case"]) {
      this.form.elements[name].addEventListener("change", () => this.start());
    }
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.input.value = "";
      if (event.key === "Enter" || event.key === "Escape") {
        event.preventDefault();
        clearTimeout(timer);
        this.go(event.shiftKey ? -1 : 1);
      }
    });
    this.form.addEventListener("submit", (event) => event.preventDefault());
    $(".search-next", this.form).addEventListener("click", () => this.go(1));
    $(".search-previous", this.form).addEventListener("click", () => this.go(-1));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "F3" || !this.input.value) return;
      event.preventDefault();
      this.go(event.shiftKey ? -1 : 1);
    });
    this.pane.view.addEventListener("change", () => this.#paintSoon());
  }

  get #asked() {
    const asked = new URLSearchParams({ q: this.input.value });
    for (const name of ["regex", "case"]) if (this.form.elements[name].checked) asked.set(name, 1);
    if (this.pane.stream) asked.set("stream", this.pane.stream);
    return String(asked);
  }

  /** What the address asks to search for, as a link or a reload brings it. */
  recall() {
    if (!asked("find")) return;
    this.input.value = asked("find");
    for (const name of ["regex", "case"]) this.form.elements[name].checked = asked(name) !== null;
    this.start();
  }

  #remember() {
    const flag = (name) => (this.input.value && this.form.elements[name].checked ? "1" : "");
    keep({ find: this.input.value, regex: flag("regex"), case: flag("case") });
  }

  #clear() {
    this.stop?.abort();
    this.asked = "";
    // Matches that follow each other, the number of the first, and which one is shown.
    this.matches = [];
    this.first = null;
    this.shown = -1;
    this.total = 0;
    this.counting = false;
    this.#draw();
  }

  /** Search anew, from the line at the top of what is in sight. */
  async start() {
    this.#clear();
    this.#remember();
    if (!this.input.value) return;
    this.asked = this.#asked;
    this.stop = new AbortController();
    this.counting = true;
    try {
      await this.#count(this.pane.topLine());
    } catch (error) {
      this.#fail(error);
    }
  }

  async #count(top) {
    this.#draw();
    let complete = true;
    for await (const found of this.#steps({ line: top })) {
      if (complete && this.matches.length < KEPT) this.matches.push(...found.matches);
      complete &&= found.count === found.matches.length;
      this.total += found.count;
      if (this.shown < 0 && this.matches.length) await this.#show(0);
      this.#draw();
    }
    let before = 0;
    for await (const found of this.#steps({ line: 1, until: top, limit: 1 })) before += found.count;
    this.total += before;
    this.first = before + 1;
    this.counting = false;
    if (this.shown < 0 && before) {
      this.matches = await this.#some({ back: 1, before: top });
      this.first = before - this.matches.length + 1;
      await this.#show(this.matches.length - 1);
    }
    this.#draw();
    this.#tell();
  }

  /** The answers to one question, until the log is searched. */
  async *#steps(question) {
    const asked = this.asked;
    const { signal } = this.stop;
    let found = null;
    while (!found?.done) {
      const from = found ? { from: found.searched_to } : {};
      found = await read(`${this.url}?${asked}&${new URLSearchParams({ ...question, ...from })}`, signal);
      yield found;
    }
  }

  async #some(question) {
    for await (const found of this.#steps({ ...question, limit: MORE, count: 0 })) {
      if (found.matches.length) return found.matches;
    }
    return [];
  }

  /** The next match, or with -1 the previous one; behind the last comes the first. */
  go(direction) {
    this.turn = this.turn.then(() => this.#go(direction));
    return this.turn;
  }

  async #go(direction) {
    if (this.#asked !== this.asked || !this.input.value) return this.start();
    if (!this.matches.length) return;
    try {
      if (!this.matches[this.shown + direction]) await this.#fetch(direction);
      await this.#show(this.shown + direction);
      this.#tell();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #fetch(direction) {
    if (direction > 0) {
      const more = await this.#some({ line: this.matches.at(-1).line + 1 });
      this.matches.push(...more);
      if (!more.length) {
        this.matches = await this.#some({ line: 1 });
        this.first = 1;
        this.shown = -1;
      }
    } else {
      const more = await this.#some({ back: 1, before: this.matches[0].line });
      this.matches.unshift(...more);
      this.shown += more.length;
      if (this.first !== null) this.first -= more.length;
      if (!more.length) {
        this.matches = await this.#some({ back: 1 });
        this.first = this.total - this.matches.length + 1;
        this.shown = this.matches.length;
      }
    }
    if (this.first !== null) {
      this.total = Math.max(this.total, this.first + this.matches.length - 1);
    }
  }

  async #show(index) {
    const match = this.matches[index];
    if (!match) return;
    this.shown = index;
    this.#draw();
    const line = await this.pane.reveal(match.line, match.offset);
    const now = this.#paint();
    if (line) this.pane.center(now ?? line);
  }

  #fail(error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Failure)) throw error;
    this.counting = false;
    this.#draw();
    $(".search-error", this.form).textContent = error.message;
  }

  #draw() {
    const { matches, shown, first, total } = this;
    $(".search-error", this.form).textContent = "";
    const words = !this.asked
      ? ""
      : total
        ? interpolate(
            gettext("%(n)s of %(total)s"),
            {
              n: first === null ? "…" : numberWords(first + shown),
              total: numberWords(total) + (this.counting ? "…" : ""),
            },
            true,
          )
        : this.counting
          ? gettext("Searching…")
          : gettext("No matches");
    this.count.textContent = words;
    for (const button of this.form.querySelectorAll("button")) button.disabled = !matches.length;
    this.#paintSoon();
  }

  /** How many, and the line that is shown: once when it is known, not while it is counted. */
  #tell() {
    const line = this.pane.view.line(this.matches[this.shown]?.line);
    say([this.count.textContent, line?.textContent.slice(0, MOST_SAID)].filter(Boolean).join(": "));
  }

  #paintSoon() {
    this.frame ??= requestAnimationFrame(() => this.#paint());
  }

  /** Highlight what is in the page; returns the place of the match that is shown. */
  #paint() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!globalThis.CSS?.highlights) return null;
    const all = new Highlight();
    const now = new Highlight();
    this.line?.classList.remove("found");
    const found = new Map(this.matches.map((match) => [match.line, match]));
    if (found.size) {
      for (const line of this.pane.lines.children) {
        const match = found.get(Number(line.dataset.n));
        if (match?.offset !== Number(line.dataset.o)) continue;
        const isShown = match === this.matches[this.shown];
        if (isShown) this.line = line;
        const target = isShown ? now : all;
        for (const range of ranges(line, match.spans)) target.add(range);
      }
    }
    if (now.size) this.line.classList.add("found");
    CSS.highlights.set("log-match", all);
    CSS.highlights.set("log-match-shown", now);
    return [...now][0] ?? null;
  }
}
