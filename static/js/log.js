// Output that follows by itself, of any size.

import { asked, keep } from "./address.js";
import { $, $$ } from "./dom.js";
import { redraw } from "./live.js";
import { LINES_BEFORE, LogChoice } from "./log-choice.js";
import { LogClock } from "./log-clock.js";
import { Follower } from "./log-follow.js";
import { LogGroups } from "./log-groups.js";
import { LogWindow } from "./log-window.js";
import { fragment } from "./net.js";
import { LogSearch } from "./search.js";

// The box with the lines, when it takes the room that the window has left.
const LOWEST_PX = 240;
const BELOW_PX = 20;

class LogPane {
  constructor(root) {
    this.root = root;
    this.view = new LogWindow(root);
    this.lines = this.view.lines;
    this.url = this.view.url;
    this.groups = new LogGroups(this.view);
    this.follower = new Follower(this.view);
    this.clock = new LogClock(this.view);
    this.#listen();
    this.#fit();
    this.search = new LogSearch(this);
    this.choice = new LogChoice(this);
    // From where a link leads to, fewer lines around are missing.
    this.choice.openLink().then(() => this.view.fill());
    this.search.recall();
  }

  get stream() {
    return this.view.stream;
  }

  #listen() {
    const { root, view, follower } = this;
    const on = (selector, work) =>
      $(selector, root)?.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        work(event);
      });
    addEventListener("resize", () => this.#fit());
    on(".log-earlier", () => view.earlier());
    on(".log-later", () => view.later());
    on(".log-top", () => this.toStart());
    on(".log-bottom", () => follower.toLatest());
    on(".log-refresh", () => follower.poll());
    on(".log-streams", (event) => this.#filter(event.target.closest("a")));
    for (const name of ["numbers", "wrap"]) this.#option(name);
    follower.addEventListener("status", refreshSummary);
    follower.addEventListener("over", () => this.#finish());
    const details = root.closest("details");
    if (details && asked("output") === "closed") details.open = false;
    details?.addEventListener("toggle", () => {
      keep({ output: details.open ? "" : "closed" });
      follower.toEnd();
    });
  }

  /** A choice that this browser remembers: what fits its screen, so no link changes it. */
  #option(name) {
    const box = $(`.log-${name}`, this.root);
    const kept = localStorage.getItem(`log-${name}`);
    if (kept !== null) box.checked = kept === "1";
    const apply = () => {
      // To keep the place costs a layout of all lines, which the page has as they mostly are.
      if (this.lines.classList.contains(name) === box.checked) return;
      this.view.keepPlace(() => this.lines.classList.toggle(name, box.checked));
    };
    box.addEventListener("change", () => {
      localStorage.setItem(`log-${name}`, box.checked ? "1" : "0");
      apply();
      this.follower.toEnd();
    });
    apply();
  }

  /** As high as the window has room for, so that the end is in sight; else as the style says. */
  #fit() {
    const { box } = this.view;
    box.style.height = "";
    const room = innerHeight - box.getBoundingClientRect().top - scrollY - BELOW_PX;
    if (room > LOWEST_PX) box.style.height = `${room}px`;
    this.follower.toEnd();
  }

  async toStart() {
    this.follower.pause();
    if (this.view.hasEarlier) await this.view.replace("?line=1");
    this.view.box.scrollTop = 0;
  }

  /** Show one stream only, or all; the address keeps it. */
  async #filter(link) {
    if (!link) return;
    const { view } = this;
    view.stream = link.dataset.stream;
    for (const each of $$(".log-streams a", this.root)) {
      if (each === link) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    }
    keep({ stream: view.stream });
    await view.toLatest();
    await this.follower.toLatest();
    this.search.start();
  }

  /** The line `number`, brought into the page if need be; the part of it that has `offset`. */
  async reveal(number, offset) {
    const { view } = this;
    const isShown = () => {
      const line = view.line(number);
      return line && (offset === undefined || Number(line.dataset.o) === offset);
    };
    this.follower.pause();
    this.groups.open(number);
    const ways = [`?line=${Math.max(1, number - LINES_BEFORE)}`, `?line=${number}`];
    if (offset !== undefined) ways.push(`?after=${offset}`);
    while (!isShown() && ways.length) await view.replace(ways.shift());
    if (!view.line(number) && view.stream && offset === undefined) {
      await this.#filter($('.log-streams a[data-stream=""]', this.root));
      return this.reveal(number);
    }
    this.follower.pause();
    return view.line(number);
  }

  /** Scroll so that a line, or a place in one, stands in the middle. */
  center(place) {
    const { top, bottom } = place.getBoundingClientRect();
    const { box } = this.view;
    const around = box.getBoundingClientRect();
    box.scrollTop += (top + bottom - around.top - around.bottom) / 2;
  }

  /** The number of the first line in sight. */
  topLine() {
    return Number(this.view.topLine?.dataset.n ?? 1);
  }

  #finish() {
    const download = $(".log-state a[target]", this.root);
    const had = $(".log-state", this.root).contains(document.activeElement);
    $(".log-state", this.root).replaceChildren(download);
    if (had) download.focus();
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
  redraw(summary, answer.html);
}

for (const root of $$(".log")) new LogPane(root);
