// When each line came: not at all, in the viewer's zone, in UTC, or from the start.

import { asked, keep } from "./address.js";
import { $ } from "./dom.js";

const two = (value) => String(value).padStart(2, "0");
const three = (value) => String(value).padStart(3, "0");
const DAY = 86_400_000;

const forms = {
  local: (ms) => {
    const date = new Date(ms);
    return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  },
  utc: (ms) => new Date(ms).toISOString().slice(11, 19),
  start: (ms, begin) => {
    const passed = Math.max(0, ms - begin);
    const days = Math.floor(passed / DAY);
    const clock = new Date(passed % DAY).toISOString();
    return `+${days ? `${days}d ` : ""}${clock.slice(passed < 3_600_000 ? 14 : 11, 21)}`;
  },
};

const exact = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "medium",
  timeStyle: "long",
});

/** The time itself, here and in UTC, to the millisecond. */
function words(ms) {
  const utc = new Date(ms).toISOString().replace("T", " ").replace("Z", " UTC");
  return `${exact.format(ms)} +${three(new Date(ms).getMilliseconds())} ms\n${utc}`;
}

export class LogClock {
  constructor(view) {
    this.view = view;
    this.begin = Date.parse(view.root.dataset.begin) || 0;
    this.select = $(".log-clock", view.root);
    // A link shows the times that whoever sent it saw; it does not change what is preferred here.
    const known = [...this.select.options].map(({ value }) => value);
    const wanted = [asked("times"), localStorage.getItem("log-clock"), this.select.value];
    this.select.value = wanted.find((value) => known.includes(value));
    this.select.addEventListener("change", () => {
      localStorage.setItem("log-clock", this.select.value);
      keep({ times: this.select.value });
      view.keepPlace(() => this.#draw(true));
    });
    view.addEventListener("change", () => this.#draw());
    view.lines.addEventListener("mouseover", (event) => {
      const line = event.target.closest(".line");
      if (line && !line.title) line.title = words(Number(line.dataset.at));
    });
    this.#draw(true);
  }

  /** Times are written only when they are asked for: a page has thousands of lines. */
  #draw(anew = false) {
    const form = forms[this.select.value];
    this.view.lines.classList.toggle("times", Boolean(form));
    if (!form) return;
    // Opened before the run began: its first line is its start.
    this.begin ||= Number(this.view.lines.firstElementChild?.dataset.at ?? 0);
    for (const line of this.view.lines.children) {
      if (anew || !line.dataset.clock) line.dataset.clock = form(Number(line.dataset.at), this.begin);
    }
  }
}
