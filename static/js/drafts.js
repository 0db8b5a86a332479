// What is typed into a panel outlives a reload and the end of a session, for this browser tab.
// Never kept: files, passwords and what is marked private. What may be secret is kept sealed.

import { $, $$ } from "./dom.js";
import { showError } from "./forms.js";
import { Sealed } from "./sealed.js";

const PAUSE_MS = 150;
// Sealing asks the portal.
const SEALED_PAUSE_MS = 500;
const user = () => document.body.dataset.user;
const prefix = () => `draft-${user()}-`;
const keyOf = (form) => prefix() + new URL(form.getAttribute("action"), location.href).pathname;
const takes = (field) =>
  field.name && !["file", "password", "hidden", "submit", "button"].includes(field.type) && !("private" in field.dataset);
const kept = (root) => $$("form[data-keep]", root);
const seals = new WeakMap();

/** What may be secret on this page beside its forms, under a name of its own. */
export const sealedDraft = (name) => new Sealed(`${prefix()}${location.pathname}${name}`);

function sealOf(form) {
  if (!("sealed" in form.dataset)) return null;
  if (!seals.has(form)) seals.set(form, new Sealed(keyOf(form)));
  return seals.get(form);
}

// A form that edits something says in `data-seen` what it began from: of a draft that began from
// something else, nothing is left to be kept.
const seen = (form) => form.dataset.seen ?? "";

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
  if (text && form.isConnected && !form.dataset.sent) fillIn(form, JSON.parse(text));
}

function restore(form) {
  // The server has sent back what was typed last.
  if ("filled" in form.dataset) return;
  const seal = sealOf(form);
  if (seal) {
    restoreSealed(form, seal);
    return;
  }
  const text = sessionStorage.getItem(keyOf(form));
  if (!text) return;
  const draft = JSON.parse(text);
  if (draft.seen === seen(form)) fillIn(form, draft);
  else sessionStorage.removeItem(keyOf(form));
}

function fillIn(form, { fields, file, seen: began }) {
  if (began !== seen(form)) return;
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

/** What was typed into `form` has been sent. */
export function forgetDraft(form) {
  form.dataset.sent = "1";
  sealOf(form)?.forget();
  sessionStorage.removeItem(keyOf(form));
}

/** Whoever signs out, or signs in as somebody else, leaves nothing behind. */
export function guardDrafts() {
  const drop = (isOurs) => {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith("draft-") && !isOurs(key)) sessionStorage.removeItem(key);
    }
  };
  if (user()) drop((key) => key.startsWith(prefix()));
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action")?.endsWith("/sign-out")) drop(() => false);
  });
}
