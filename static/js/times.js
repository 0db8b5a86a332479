// Times in words, refreshed while the page is open; the same words as webjobs/views/times.py.

import { $$ } from "./dom.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

// The words stand in calls of ngettext itself: that is where the catalogue is collected from.
const counted = (count, words) => interpolate(words(count), { count }, true);

// The page's language; in the form of the viewer's own country where that speaks it.
const page = document.documentElement.lang || "en";
const region = navigator.languages.find((language) => language.split("-")[0] === page) || page;

/** A number as the page's language writes it: `1,234`, `1 234`. */
export const numberWords = (number) => number.toLocaleString(region);

/** The date and the time in the page's language. */
export const dateWords = (date) => date.toLocaleString(region);

/** The time of day. */
export const clockWords = (date) => date.toLocaleTimeString(region);

/** How long something took. */
export function spanWords(ms) {
  if (ms > WEEK) return counted(Math.round(ms / WEEK), (n) => ngettext("%(count)s week", "%(count)s weeks", n));
  if (ms > DAY) return counted(Math.round(ms / DAY), (n) => ngettext("%(count)s day", "%(count)s days", n));
  if (ms > HOUR) return counted(Math.round(ms / HOUR), (n) => ngettext("%(count)s hour", "%(count)s hours", n));
  if (ms > MINUTE) return counted(Math.round(ms / MINUTE), (n) => ngettext("%(count)s minute", "%(count)s minutes", n));
  if (ms > 10 * SECOND) {
    return counted(Math.round(ms / SECOND), (n) => ngettext("%(count)s second", "%(count)s seconds", n));
  }
  if (ms > SECOND) return interpolate(gettext("%(count)s s"), { count: Math.round(ms / SECOND) }, true);
  if (ms > 0) return interpolate(gettext("%(count)s ms"), { count: Math.round(ms) }, true);
  return gettext("less than 1ms");
}

/** `3 minutes ago`, `in 2 days`; the local date beyond six and a half days. */
export function longWords(moment, now = Date.now()) {
  const distance = now - moment;
  const length = Math.abs(distance);
  if (length > 6.5 * DAY) {
    const date = new Date(moment);
    return `${date.toLocaleDateString(region)} ${clockWords(date)}`;
  }
  if (length <= 10 * SECOND) return distance >= 0 ? gettext("a moment ago") : gettext("in a moment");
  const text = distance > 0 ? gettext("%(span)s ago") : gettext("in %(span)s");
  return interpolate(text, { span: spanWords(length) }, true);
}

/** `Just now`, `5 min ago`, `3 d ago`, `in 2 h`. */
export function shortWords(moment, now = Date.now()) {
  const distance = now - moment;
  const length = Math.abs(distance);
  const say = (past, future, unit) =>
    interpolate(distance >= 0 ? past : future, { count: Math.floor(length / unit) }, true);
  if (length < MINUTE) {
    if (distance >= 0) return gettext("Just now");
    const count = Math.max(1, Math.round(length / SECOND));
    return interpolate(gettext("in %(count)s s"), { count }, true);
  }
  if (length < HOUR) return say(gettext("%(count)s min ago"), gettext("in %(count)s min"), MINUTE);
  if (length < DAY) return say(gettext("%(count)s h ago"), gettext("in %(count)s h"), HOUR);
  return say(gettext("%(count)s d ago"), gettext("in %(count)s d"), DAY);
}

/** As `shortWords` for what is to come. */
export function dueWords(moment, now = Date.now()) {
  return moment > now ? shortWords(moment, now) : gettext("due now");
}

const WORDS = { long: longWords, short: shortWords, due: dueWords };

const local = new Intl.DateTimeFormat(region, {
  dateStyle: "medium",
  timeStyle: "long",
});
// Differences between the viewer's clock and the server's would show as "in a moment".
let skew = 0;

export function setServerTime(iso) {
  const difference = Date.parse(iso) - Date.now();
  if (Math.abs(difference) > 5 * SECOND) skew = difference;
}

/** Words and hover of every time below `root`; durations that still grow too. */
export function refreshTimes(root = document) {
  const now = Date.now() + skew;
  for (const element of $$("time[data-words]", root)) {
    const moment = Date.parse(element.dateTime);
    if (!element.dataset.local) {
      element.dataset.local = "1";
      element.title += `\n${local.format(moment)}`;
    }
    const words = WORDS[element.dataset.words]?.(moment, now) ?? "";
    if (words && element.textContent !== words) element.textContent = words;
  }
  for (const element of $$("[data-since]", root)) {
    const words = spanWords(Math.max(1, now - Date.parse(element.dataset.since)));
    if (element.textContent !== words) element.textContent = words;
  }
}

export function keepTimesFresh() {
  refreshTimes();
  setInterval(() => document.hidden || refreshTimes(), 2 * SECOND);
  document.addEventListener("visibilitychange", () => document.hidden || refreshTimes());
}
