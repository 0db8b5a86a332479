// The panel at the right: a modal dialog filled by the server.

import { asked, enter, goOn, keep, leave, onBack } from "./address.js";
import { confirm } from "./confirm.js";
import { $, $$, finder, focusOn, isFocusLost, make, parse } from "./dom.js";
import { forgetDraft, guardDrafts, keepDrafts } from "./drafts.js";
import { describe, dropZone, submit } from "./forms.js";
import { Failure, fragment } from "./net.js";
import { previewSchedule } from "./schedule.js";
import { refreshTimes } from "./times.js";
import { toast } from "./toasts.js";

// A half-filled panel that was closed comes back as it was left.
const halfFilled = new Map();
// By panel: what finds what had the focus before, which the page may have drawn anew since.
const backs = new WeakMap();
const enhancers = [];
const WIDE = /\/(properties|advanced)$/;
// Below the list of apps. An address may open these alone: other answers are no panels of ours.
const PANELS =
  /^(add|[^/]+\/(slots\/[^/]+\/)?(webjobs\/(add|(triggered|continuous)\/[^/]+\/properties)|settings\/(add|advanced|[^/]+\/edit)|deployment-slots\/add))$/;

/** Let `enhance(root)` look at everything that panels and pages show. */
export function onContent(enhance) {
  enhancers.push(enhance);
}

export function enhance(root) {
  describe(root);
  for (const form of $$("form", root)) {
    if ($(".drop", form)) dropZone(form);
    previewSchedule(form);
  }
  for (const each of enhancers) each(root);
  keepDrafts(root);
  refreshTimes(root);
}

const here = () => location.pathname.replace(/[^/]*$/, "");

/** How the address names the panel at `url`: from here when it is below this page. */
function nameOf(url) {
  const { pathname } = new URL(url, location.href);
  return pathname.startsWith(here()) ? pathname.slice(here().length) : pathname;
}

/** The address of the panel that is called `name`; null when there is none. */
function panelAt(name) {
  const { origin, pathname, href } = new URL(name, location.origin + here());
  const root = $(".brand").pathname;
  const isOurs = origin === location.origin && pathname.startsWith(root);
  return isOurs && PANELS.test(pathname.slice(root.length)) ? href : null;
}

function close(dialog) {
  const url = dialog.dataset.url;
  if (dialog.dataset.dirty) halfFilled.set(url, dialog);
  const toasts = $("#toasts", dialog);
  if (toasts) document.body.append(toasts);
  dialog.close();
  dialog.remove();
  if (isFocusLost()) focusOn(backs.get(dialog));
}

/** Close the open panel, if any. `forget`: what was typed has been sent. */
export function closePanel(forget = false) {
  const dialog = $("dialog.panel[open]");
  if (!dialog) return;
  if (forget) delete dialog.dataset.dirty;
  close(dialog);
  leave("panel");
}

function show(dialog, name) {
  const open = $("dialog.panel[open]");
  if (open) close(open);
  enter("panel", name);
  backs.set(dialog, finder());
  document.body.append(dialog);
  // What is outside of it is not read out while it is open.
  dialog.append($("#toasts"));
  dialog.showModal();
  const first = $("[aria-invalid=true]", dialog) ?? $(".panel-body [data-first]", dialog);
  (first ?? $("[data-close]", dialog))?.focus();
}

async function onSubmit(event) {
  const form = event.target;
  if (!("submit" in form.dataset)) return;
  event.preventDefault();
  const { title, question } = form.dataset;
  const within = form.closest("dialog.panel");
  if (question && within && !(await confirm({ title, question, within, back: event.submitter }))) return;
  const data = await submit(form, event.submitter);
  if (!data) return;
  forgetDraft(form);
  const changed = new CustomEvent("portal:changed", { detail: { data, form }, cancelable: true });
  if (within) delete within.dataset.dirty;
  if (!document.dispatchEvent(changed)) return;
  if (!data.url) closePanel(true);
  else {
    if (within) close(within);
    goOn(data.url);
  }
}

/** An empty panel that can be closed. */
function build(url) {
  const dialog = make("dialog", {
    class: `panel${WIDE.test(new URL(url, location.href).pathname) ? " wide" : ""}`,
    "aria-labelledby": "panel-title",
    "data-url": url,
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    const question = $(".confirm", dialog);
    if (question) question.dispatchEvent(new CustomEvent("answer"));
    else closePanel();
  });
  dialog.addEventListener("input", (event) => {
    // What stays open when it is sent is better fetched anew; its drafts are kept in the tab.
    if (event.target.closest("[data-keep]:not([data-stay])")) dialog.dataset.dirty = "1";
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) {
      event.preventDefault();
      closePanel();
    }
  });
  return dialog;
}

/**
 * Fill and show the panel at `url`, which the address gets to know as `name`. `quiet`: nobody asked
 * for it just now, so it does not matter when there is none.
 */
export async function openPanel(url, name = nameOf(url), quiet = false) {
  const kept = halfFilled.get(url);
  if (kept) {
    halfFilled.delete(url);
    show(kept, name);
    return kept;
  }
  let answer;
  try {
    answer = await fragment(url);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (quiet) keep({ panel: "" });
    else toast("error", error.message, error.more);
    return null;
  }
  const dialog = build(url);
  dialog.append(parse(answer.html));
  enhance(dialog);
  show(dialog, name);
  return dialog;
}

/** Fill the open panel anew from the server. */
export async function reloadPanel() {
  const dialog = $("dialog.panel[open]");
  if (!dialog) return;
  const answer = await fragment(dialog.dataset.url);
  const toasts = $("#toasts", dialog);
  const action = document.activeElement.closest("form")?.getAttribute("action");
  // The toasts stay where they are: put in anew, they would be read out again.
  for (const child of [...dialog.children]) if (child !== toasts) child.remove();
  dialog.prepend(parse(answer.html));
  enhance(dialog);
  const form = $$("form", dialog).find((each) => each.getAttribute("action") === action);
  if (isFocusLost()) ($("button:last-of-type", form ?? dialog) ?? $("[data-close]", dialog))?.focus();
}

/** The panel that the address names, and no other. A page that opens its panels itself says so. */
function followAddress() {
  const name = asked("panel");
  const open = $("dialog.panel[open]");
  if (name === null) {
    if (open) close(open);
    return;
  }
  if (open && nameOf(open.dataset.url) === name) return;
  const wanted = new CustomEvent("portal:panel", { detail: name, cancelable: true });
  if (!document.dispatchEvent(wanted)) return;
  const url = panelAt(name);
  if (url) openPanel(url, name, true);
  else keep({ panel: "" });
}

export function startPanels() {
  guardDrafts();
  document.addEventListener("submit", onSubmit);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-panel]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPanel(link.href);
  });
  onBack(followAddress);
  // When all modules have said what they do with panels.
  addEventListener("DOMContentLoaded", followAddress);
}
