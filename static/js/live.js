// What is drawn anew while somebody reads it: the focus stays, and what changed is said.

import { $, $$, finder, isFocusLost, parse } from "./dom.js";
import { refreshTimes } from "./times.js";

// What belongs together: its neighbour has the focus when one of them is gone.
const TOGETHER = [".actions", "tbody", "ul"];

/** Have `text` read out by a screen reader, once, when it has ended what it reads. */
export function say(text) {
  const place = $("#said");
  if (place.textContent !== text) place.textContent = text;
}

/** The words below `part` that are said when they change, such as a status. */
function words(part) {
  return $$("[data-say]", part).map((element) => element.dataset.say || element.textContent.trim());
}

/** Remember what has the focus in `part`; returns what gives it back, or gives it to what is in its place. */
function holdFocus(part) {
  const active = document.activeElement;
  if (!part.contains(active)) return () => {};
  const again = finder(active, part);
  const around = TOGETHER.find((one) => active.closest(one));
  const stops = () => $$(`${around} a[href], ${around} button`, part);
  const place = around ? stops().indexOf(active) : -1;
  return () => {
    again()?.focus();
    if (!isFocusLost()) return;
    const left = place < 0 ? [] : stops();
    part.tabIndex = -1;
    (left[Math.min(place, left.length - 1)] ?? part).focus({ preventScroll: true });
  };
}

/** Show `html` in place of what `part` has. */
export function redraw(part, html) {
  const giveBack = holdFocus(part);
  const before = words(part);
  part.replaceChildren(parse(html));
  refreshTimes(part);
  giveBack();
  const news = words(part).filter((text) => !before.includes(text));
  if (news.length) say(news.join(", "));
}
