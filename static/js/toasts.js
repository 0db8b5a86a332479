// Toasts at the top right, and the list of them behind the bell (kept for this browser tab).

import { $, $$, finder, focusOn, icon, isFocusLost, make } from "./dom.js";
import { Failure, send } from "./net.js";
import { refreshTimes } from "./times.js";

const SHOWN_MS = 5000;
// What can be undone stays for longer.
const UNDO_MS = 12000;
// Told again after the page was loaded anew.
const LATER = "notice-later";
const KEPT = 50;
const key = `notices-${document.body.dataset.user}`;
let unread = 0;
// What finds what had the focus before it came to the toasts.
let before = null;

const stored = () => JSON.parse(sessionStorage.getItem(key) ?? "[]");

function keep(notice) {
  const all = stored().filter((other) => other.id !== notice.id);
  sessionStorage.setItem(key, JSON.stringify([notice, ...all].slice(0, KEPT)));
  drawList();
}

function drawBadge() {
  const badge = $("#bell-count");
  if (!badge) return;
  badge.hidden = unread === 0;
  badge.textContent = unread;
}

function content(notice) {
  const text = make("span", { class: "toast-text" }, notice.text);
  if (notice.url) {
    const target = notice.target ? { target: notice.target } : {};
    text.append(" ", make("a", { href: notice.url, ...target }, notice.link));
  }
  if (notice.undo) {
    const button = make("button", { type: "button", class: "undo", "aria-keyshortcuts": "Control+Z" }, gettext("Undo"));
    button.addEventListener("click", () => takeBack(notice));
    text.append(" ", button);
  }
  return [icon(notice.kind, notice.kind), text];
}

function drawList() {
  const list = $("#notices-list");
  if (!list) return;
  const notices = stored();
  list.replaceChildren(
    ...notices.map((notice) => {
      const line = make("div", { class: "notice" }, ...content(notice));
      const at = make("time", { datetime: notice.at, "data-words": "long", title: notice.at });
      $(".toast-text", line).append(at);
      return line;
    }),
  );
  if (!notices.length) {
    list.append(make("p", { class: "empty" }, gettext("There are no notifications.")));
  }
  refreshTimes(list);
}

/** Take a toast away; the focus goes back to where it was before. */
function drop(element) {
  const had = element.contains(document.activeElement);
  element.remove();
  if (!had) return;
  focusOn(before);
  if (isFocusLost()) ($("dialog[open] [data-close]") ?? $("#bell"))?.focus();
}

function draw(element, notice) {
  element.className = `toast ${notice.kind}`;
  const close = make("button", { type: "button", class: "icon-button" }, icon("close"));
  close.append(make("span", { class: "visually-hidden" }, gettext("Dismiss")));
  close.addEventListener("click", () => drop(element));
  element.replaceChildren(...content(notice), close);
}

/** Undo what a notice tells. The page that can show it without being loaded anew says so. */
async function takeBack(notice) {
  for (const element of $$(`[data-notice="${notice.id}"]`)) drop(element);
  if (!$("#notices").hidden) {
    toggleList(false);
    $("#bell").focus();
  }
  keep({ ...notice, undo: undefined });
  const progress = toast("progress", gettext("Undoing"));
  try {
    const { ok, data } = await send(notice.undo);
    progress.become(ok ? "success" : "error", data.message ?? data.error);
    const isShown = !document.dispatchEvent(new CustomEvent("portal:undone", { cancelable: true }));
    if (!ok || isShown) return;
    sessionStorage.setItem(LATER, data.message);
    location.reload();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    progress.become("error", error.message, error.more);
  }
}

/** Ctrl-Z outside of a field undoes what the newest toast tells. */
function onUndoKey(event) {
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const button = $$(".toast .undo").at(-1);
  if (!button) return;
  event.preventDefault();
  button.click();
}

function leave(element, ms) {
  const timer = setInterval(() => {
    if (element.matches(":hover, :focus-within")) return;
    clearInterval(timer);
    element.remove();
  }, ms);
}

/** Show a toast. `kind` is success, error or progress; the result has `become(kind, text, more)`. */
export function toast(kind, text, more = {}) {
  const notice = { id: crypto.randomUUID?.() ?? String(Math.random()), kind, text, ...more };
  const element = make("div", { "data-notice": notice.id });
  const show = () => {
    notice.at = new Date().toISOString();
    draw(element, notice);
    keep(notice);
    if (notice.kind !== "progress") {
      unread += 1;
      drawBadge();
      // What leads out of a failure, such as to sign in again, is there until it is used.
      const stays = notice.kind === "error" && notice.url;
      if (!stays) leave(element, notice.undo ? UNDO_MS : SHOWN_MS);
    }
  };
  // Above whatever dialog is open, where it can be seen and used.
  const dialog = $("dialog[open]");
  const place = $("#toasts");
  if (dialog) dialog.append(place);
  else document.body.append(place);
  place.append(element);
  show();
  return {
    become(kind, text, more = {}) {
      Object.assign(notice, { kind, text, url: undefined, undo: undefined }, more);
      if (!element.isConnected) place.append(element);
      show();
    },
  };
}

function toggleList(open) {
  $("#notices").hidden = !open;
  // The list has them all, and they would lie upon it.
  $("#toasts").hidden = open;
  $("#bell").setAttribute("aria-expanded", String(open));
  if (!open) return;
  unread = 0;
  drawBadge();
  drawList();
}

export function startToasts() {
  for (const element of $$("#toasts > .toast")) {
    const kind = element.dataset.kind === "error" ? "error" : "success";
    const text = $(".toast-text", element).textContent;
    const undo = $("form", element)?.getAttribute("action");
    element.remove();
    toast(kind, text, { undo });
  }
  const later = sessionStorage.getItem(LATER);
  if (later) {
    sessionStorage.removeItem(LATER);
    toast("success", later);
  }
  document.addEventListener("keydown", onUndoKey);
  $("#toasts").addEventListener("focusin", ({ relatedTarget: from }) => {
    if (from && !from.closest("#toasts")) before = finder(from);
  });
  const bell = $("#bell");
  if (!bell) return;
  drawList();
  bell.addEventListener("click", () => toggleList($("#notices").hidden));
  $("#notices-clear").addEventListener("click", () => {
    sessionStorage.removeItem(key);
    drawList();
  });
  document.addEventListener("click", (event) => {
    if (!$("#notices").hidden && !event.target.closest("#notices, #bell")) toggleList(false);
  });
  document.addEventListener("focusin", (event) => {
    if (!$("#notices").hidden && !event.target.closest("#notices, #bell")) toggleList(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !$("#notices").hidden) {
      toggleList(false);
      bell.focus();
    }
  });
}
