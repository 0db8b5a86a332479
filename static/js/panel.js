// The panel at the right: a modal dialog filled by the server.

import { confirm } from "./confirm.js";
import { $, $$, make, parse } from "./dom.js";
import { forgetDraft, forgetOpen, guardDrafts, keepDrafts, panelToReopen } from "./drafts.js";
import { dropZone, submit } from "./forms.js";
import { Failure, fragment } from "./net.js";
import { previewSchedule } from "./schedule.js";
import { refreshTimes } from "./times.js";
import { toast } from "./toasts.js";

// A half-filled panel that was closed comes back as it was left.
const halfFilled = new Map();
const enhancers = [];

/** Let `enhance(root)` look at everything that panels and pages show. */
export function onContent(enhance) {
  enhancers.push(enhance);
}

export function enhance(root) {
  for (const form of $$("form", root)) {
    if ($(".drop", form)) dropZone(form);
    previewSchedule(form);
  }
  for (const each of enhancers) each(root);
  keepDrafts(root);
  refreshTimes(root);
}

function close(dialog) {
  const url = dialog.dataset.url;
  if (dialog.dataset.dirty) halfFilled.set(url, dialog);
  forgetOpen();
  const toasts = $("#toasts", dialog);
  if (toasts) document.body.append(toasts);
  dialog.close();
  dialog.remove();
}

/** Close the open panel, if any. `forget`: what was typed has been sent. */
export function closePanel(forget = false) {
  const dialog = $("dialog.panel[open]");
  if (!dialog) return;
  if (forget) delete dialog.dataset.dirty;
  close(dialog);
}

function show(dialog) {
  document.body.append(dialog);
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
  closePanel(true);
  if (data.url) location.assign(data.url);
}

/** Fill and show the panel at `url`. */
export async function openPanel(url, wide = false) {
  const kept = halfFilled.get(url);
  if (kept) {
    halfFilled.delete(url);
    show(kept);
    return kept;
  }
  let answer;
  try {
    answer = await fragment(url);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast("error", error.message, error.more);
    return null;
  }
  const dialog = make("dialog", {
    class: `panel${wide ? " wide" : ""}`,
    "aria-labelledby": "panel-title",
    "data-url": url,
  });
  dialog.append(parse(answer.html));
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    const question = $(".confirm", dialog);
    if (question) question.dispatchEvent(new CustomEvent("answer"));
    else close(dialog);
  });
  dialog.addEventListener("input", (event) => {
    if (event.target.closest("[data-keep]")) dialog.dataset.dirty = "1";
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) {
      event.preventDefault();
      close(dialog);
    }
  });
  closePanel();
  enhance(dialog);
  show(dialog);
  return dialog;
}

/** Fill the open panel anew from the server. */
export async function reloadPanel() {
  const dialog = $("dialog.panel[open]");
  if (!dialog) return;
  const answer = await fragment(dialog.dataset.url);
  const toasts = $("#toasts", dialog);
  if (toasts) document.body.append(toasts);
  dialog.replaceChildren(parse(answer.html));
  enhance(dialog);
}

/** After all modules have said what they do with panels. */
export function reopenPanel() {
  const url = panelToReopen();
  if (url) openPanel(url);
}

export function startPanels() {
  guardDrafts();
  document.addEventListener("submit", onSubmit);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-panel]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPanel(link.href, link.dataset.panel === "wide");
  });
}
