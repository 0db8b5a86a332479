// Following a log that grows: the end stays in sight until the reader scrolls away from it.

import { $ } from "./dom.js";
import { say } from "./live.js";
import { PAST_THE_END } from "./log-window.js";
import { numberWords, refreshTimes, setServerTime } from "./times.js";

const FAST_MS = 300;
const QUIET_MS = 2000;
const IDLE_MS = 5000;
// Without new output for so long it counts as quiet, then as idle.
const QUIET_AFTER_MS = 10000;
const IDLE_AFTER_MS = 60000;
const NEAR_END_PX = 40;
// Further behind than this, what is in between is not read line by line.
const TOO_MUCH = 1024 * 1024;

export class Follower extends EventTarget {
  constructor(view) {
    super();
    this.view = view;
    this.box = view.box;
    this.button = $(".log-follow", view.root);
    this.over = "over" in view.root.dataset;
    this.status = $("#summary")?.dataset.status ?? "";
    this.sticks = !view.hasLater;
    this.seen = view.count;
    this.movedAt = Date.now();
    this.timer = 0;
    this.#listen();
    this.#draw();
    if (!this.over) this.#next(FAST_MS);
  }

  #listen() {
    this.box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.button?.addEventListener("click", async () => {
      if (this.sticks) this.pause();
      else await this.toLatest();
      this.#tell();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.over) this.poll();
    });
    this.view.addEventListener("change", () => {
      if (this.sticks) this.toEnd();
    });
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    if (!clientHeight) return;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX && !this.view.hasLater;
    if (isAtEnd === this.sticks) return;
    this.#stick(isAtEnd);
    if (!this.over) this.#tell();
  }

  /** Said when the reader has changed it, not with each new line. */
  #tell() {
    say(this.#state);
  }

  get #state() {
    return this.sticks ? gettext("Following") : gettext("Paused");
  }

  #stick(sticks) {
    if (this.sticks && !sticks) this.seen = this.view.count;
    this.sticks = sticks;
    this.#draw();
  }

  pause() {
    this.#stick(false);
  }

  toEnd() {
    if (this.sticks) this.box.scrollTop = this.box.scrollHeight;
  }

  async toLatest() {
    if (this.view.hasLater) await this.view.toLatest();
    this.#stick(true);
    this.toEnd();
    if (!this.over) this.poll();
  }

  #draw() {
    if (!this.button) return;
    if (this.over && document.activeElement === this.button) this.box.focus({ preventScroll: true });
    this.button.hidden = this.over;
    this.button.setAttribute("aria-pressed", String(this.sticks));
    const fresh = Math.max(0, this.view.count - this.seen);
    // A name that counts would be read out with each line while the button has the focus.
    this.button.setAttribute("aria-label", this.#state);
    const words = this.sticks || !fresh
      ? this.#state
      : interpolate(
          ngettext("Paused, %(count)s new line", "Paused, %(count)s new lines", fresh),
          { count: numberWords(fresh) },
          true,
        );
    const place = $(".log-follow-words", this.button);
    if (place.textContent !== words) place.textContent = words;
  }

  #next(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), ms);
  }

  async poll() {
    clearTimeout(this.timer);
    if (this.busy) return;
    this.busy = true;
    const { view } = this;
    const from = this.sticks ? view.end : PAST_THE_END;
    let data = null;
    try {
      if (document.hidden) return;
      data = await view.ask(`?after=${from}`);
    } finally {
      this.busy = false;
    }
    if (data) await this.#show(data, from);
    if (view.isGone) this.over = true;
    if (this.over) return this.#draw();
    const quiet = Date.now() - this.movedAt;
    const pause = quiet > IDLE_AFTER_MS ? IDLE_MS : quiet > QUIET_AFTER_MS ? QUIET_MS : FAST_MS;
    this.#next(this.sticks && view.hasLater ? 0 : data ? pause : IDLE_MS);
  }

  async #show(data, from) {
    const { view } = this;
    setServerTime(data.now);
    if (data.status !== this.status) {
      this.status = data.status;
      this.movedAt = Date.now();
      this.dispatchEvent(new Event("status"));
    }
    if (data.size > view.size) this.movedAt = Date.now();
    if (this.sticks && from === view.end) {
      if (data.size - data.end > TOO_MUCH) await view.toLatest();
      else if (data.lines.length || data.end !== view.end) view.append(data);
      else view.learn(data);
    } else {
      view.learn(data);
    }
    this.#draw();
    this.#drawRefreshed(data.now);
    // Over only when whoever writes it has ended and all it wrote is there; a writer that was
    // lost never says that it has ended.
    const silent = Date.now() - this.movedAt > IDLE_AFTER_MS;
    const here = !this.sticks || !view.hasLater;
    this.over = data.final && (data.complete || silent) && here;
    if (this.over) this.dispatchEvent(new Event("over"));
  }

  #drawRefreshed(now) {
    const time = $(".refreshed", this.view.root);
    if (!time) return;
    time.dateTime = now;
    refreshTimes(time.parentElement);
  }
}
