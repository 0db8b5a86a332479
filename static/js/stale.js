// A page that follows by itself and cannot says so, instead of looking as if it were of now.

import { $, icon, make } from "./dom.js";
import { say } from "./live.js";
import { clockWords } from "./times.js";

// One look in vain is no news: the portal may be starting again.
const TOLERATED = 1;
let missed = 0;
let seenAt = new Date();

function draw(failure) {
  $("#stale")?.remove();
  const since = interpolate(gettext("What you see is from %(time)s."), { time: clockWords(seenAt) }, true);
  const text = `${failure.message} ${since}`;
  const words = make("span", {}, text);
  const { url, link } = failure.more;
  if (url) words.append(" ", make("a", { href: url }, link));
  $("#main").prepend(make("div", { class: "banner warning", id: "stale" }, icon("warning"), words));
  say(text);
}

/** The page shows what is. */
export function looked() {
  missed = 0;
  seenAt = new Date();
  $("#stale")?.remove();
}

/** It could not look; `failure` says why. */
export function lookedInVain(failure) {
  missed += 1;
  if (missed === TOLERATED + 1) draw(failure);
}
