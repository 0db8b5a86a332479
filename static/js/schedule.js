// What an NCRONTAB expression means, shown while it is typed.

import { $, make } from "./dom.js";
import { showError } from "./forms.js";
import { read } from "./net.js";
import { dateWords } from "./times.js";

const PAUSE_MS = 250;

function draw(box, data) {
  const times = make("ol");
  for (const next of data.next) {
    times.append(make("li", { title: dateWords(new Date(next.utc)) }, next.text));
  }
  box.replaceChildren(
    make("p", { class: "words" }, data.words),
    make("p", {}, interpolate(gettext("The next times, in %(zone)s:"), { zone: data.zone }, true)),
    times,
  );
  if (!data.next.length) box.children[1].textContent = gettext("There is no next time.");
  for (const warning of data.warnings) box.append(make("p", { class: "warnings" }, warning));
}

/** Watch the field `cron` (and `time_zone`) of `form`. */
export function previewSchedule(form) {
  const input = form.elements.cron;
  const box = $(".preview", form);
  if (!input || !box) return;
  const zone = form.elements.time_zone;
  // It keeps its room, so that nothing moves while one types.
  const empty = () => {
    const text = gettext("What the expression means, and the next five times.");
    box.replaceChildren(make("p", { class: "soft" }, text));
  };
  box.hidden = false;
  if (!box.children.length) empty();
  let timer = 0;
  let running = null;
  const look = async () => {
    running?.abort();
    running = new AbortController();
    if (!input.value.trim()) {
      empty();
      return;
    }
    const query = new URLSearchParams({ cron: input.value, zone: zone?.value ?? "" });
    try {
      const data = await read(`${box.dataset.url}?${query}`, running.signal);
      showError(form, "cron", "");
      if (zone) showError(form, "time_zone", "");
      if (data.error) empty();
      if (data.error) showError(form, data.field, data.error);
      else draw(box, data);
    } catch (error) {
      if (error.name !== "AbortError") empty();
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  };
  input.addEventListener("input", soon);
  zone?.addEventListener("input", soon);
  if (input.value) look();
}
