// What is typed into a panel outlives a reload and the end of a session, for this browser tab.
// Never kept: files, passwords and what is marked private. What may be secret is kept sealed.

import { $, $$ } from "./dom.js";
import { showError } from "./forms.js";
import { Sealed } from "./sealed.js";
import { toast } from "./toasts.js";

const PAUSE_MS = 150;
// Sealing asks the portal.
const SEALED_PAUSE_MS = 500;
const user = () => document.body.dataset.user;
const prefix = () => `draft-${user()}-`;
const keyOf = (form) => prefix() + new URL(form.getAttribute("action"), location.href).pathname;
const takes = (field) =>
  field.name &&
  ("began" in field.dataset ||
    (!["file", "password", "hidden", "submit", "button"].includes(field.type) && !("private" in field.dataset)));
const kept = (root) => $$("form[data-keep]", root);
const seals = new WeakMap();

/** What may be secret on this page beside its forms, under a name of its own. */
export const sealedDraft = (name) => new Sealed(`${prefix()}${location.pathname}${name}`);

/** What was typed for a run of the WebJob `key` that did not start. */
export function keptArguments(key) {
  const name = `${prefix()}${location.pathname}arguments-${key}`;
  return {
    keep: (text) => sessionStorage.setItem(name, text),
    recall: () => sessionStorage.getItem(name),
    forget: () => sessionStorage.removeItem(name),
  };
}

function sealOf(form) {
  if (!("sealed" in form.dataset)) return null;
  if (!seals.has(form)) seals.set(form, new Sealed(keyOf(form)));
  return seals.get(form);
}

// A form that edits something says in `data-seen` what it began from. Hidden fields with `data-began`
// say it to the server, and are kept too: with `data-merges`, a draft that began from something else
// is given back all the same, in words.
const seen = (form) => form.dataset.seen ?? "";
// Beside a draft: a page without script took it, and nothing has spoken against that.
const SENT = "#sent";
const wasSent = (form) => sessionStorage.getItem(keyOf(form) + SENT) !== null;

/** The server has not taken what was sent: it came back, or led to an error; unsent.js sees to the sign-in page. */
function unsend() {
  if (!$("[data-failed], form[data-filled], form[data-applies]")) return;
  for (const key of Object.keys(sessionStorage)) if (key.endsWith(SENT)) sessionStorage.removeItem(key);
}

function save(form) {
  const fields = {};
  for (const field of form.elements) {
    if (!takes(field)) continue;
    const isBox = field.type === "checkbox" || field.type === "radio";
    (fields[field.name] ??= []).push(isBox ? field.checked : field.value);
  }
  const file = $("input[type=file]", form)?.files[0]?.name ?? "";
  const text = JSON.stringify({ fields, file, seen: seen(form) });
  const seal = sealOf(form);
  if (seal) seal.keep(text);
  else sessionStorage.setItem(keyOf(form), text);
}

async function restoreSealed(form, seal) {
  const text = await seal.recall();
  if (seal.why) tell(form, seal.why);
  if (text && form.isConnected && !form.dataset.sent) fillIn(form, JSON.parse(text));
}

function restore(form) {
  // The server has sent back what was typed last.
  if ("filled" in form.dataset) return;
  if (wasSent(form)) {
    drop(form);
    return;
  }
  const seal = sealOf(form);
  if (seal) {
    restoreSealed(form, seal);
    return;
  }
  const text = sessionStorage.getItem(keyOf(form));
  if (text) fillIn(form, JSON.parse(text));
}

/** Words about the form as a whole. */
function tell(form, words) {
  const general = $("[data-errors]", form);
  if (general) general.textContent = words;
  else toast("error", words);
}

function fillIn(form, { fields, file, seen: began }) {
  if (began !== seen(form)) {
    if (!("merges" in form.dataset)) return;
    tell(form, gettext("This has been changed since you began to type. What you typed is filled in again: compare it before you apply it."));
  }
  for (const field of form.elements) {
    const value = takes(field) ? fields[field.name]?.shift() : undefined;
    if (value === undefined) continue;
    if (typeof value === "boolean") field.checked = value;
    else field.value = value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (!file) return;
  const again = gettext("Choose the file %(name)s again: files are not kept.");
  showError(form, "file", interpolate(again, { name: file }, true));
}

/** Let the forms below `root` that are to be kept have what was typed, and remember what will be. */
export function keepDrafts(root) {
  if (root === document) unsend();
  for (const form of kept(root)) {
    restore(form);
    let timer = 0;
    form.addEventListener("input", () => {
      clearTimeout(timer);
      const pause = sealOf(form) ? SEALED_PAUSE_MS : PAUSE_MS;
      timer = setTimeout(() => form.isConnected && !form.dataset.sent && save(form), pause);
    });
    // A click on a link may leave the page before the pause is over.
    form.addEventListener("focusout", () => timer && !form.dataset.sent && save(form));
    for (const link of $$("[data-forget]", form)) link.addEventListener("click", () => forgetDraft(form));
  }
}

function drop(form) {
  sealOf(form)?.forget();
  for (const key of [keyOf(form), keyOf(form) + SENT]) sessionStorage.removeItem(key);
}

/** What was typed into `form` has been sent. */
export function forgetDraft(form) {
  form.dataset.sent = "1";
  drop(form);
}

/** A form that leaves the page: what was typed is kept until the next page tells what became of it. */
function onLeaving({ target: form, submitter, defaultPrevented }) {
  const isLast = "applies" in form.dataset ? submitter?.value === "apply" : !("looks" in (submitter?.dataset ?? {}));
  if (defaultPrevented || "submit" in form.dataset || !isLast) return;
  if (!("applies" in form.dataset)) {
    if (!("keep" in form.dataset)) return;
    if (!sealOf(form)) save(form);
  }
  sessionStorage.setItem(keyOf(form) + SENT, "");
}

/** Whoever signs out, or signs in as somebody else, leaves nothing behind. */
export function guardDrafts() {
  const leave = (isOurs) => {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith("draft-") && !isOurs(key)) sessionStorage.removeItem(key);
    }
  };
  if (user()) leave((key) => key.startsWith(prefix()));
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action")?.endsWith("/sign-out")) leave(() => false);
    else onLeaving(event);
  });
}
