// What is typed into a panel outlives a reload and the end of a session, for this browser tab.
// Never kept: files, passwords and what is marked private.

import { $, $$ } from "./dom.js";
import { showError } from "./forms.js";

const PAUSE_MS = 150;
const user = () => document.body.dataset.user;
const prefix = () => `draft-${user()}-`;
const openKey = () => `draft-open-${user()}`;
const keyOf = (form) => prefix() + new URL(form.getAttribute("action"), location.href).pathname;
const takes = (field) =>
  field.name && !["file", "password", "hidden", "submit", "button"].includes(field.type) && !("private" in field.dataset);
const kept = (root) => $$("form[data-keep]:not([data-private])", root);

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
  sessionStorage.setItem(keyOf(form), JSON.stringify({ fields, file, seen: seen(form) }));
  const panel = form.closest("dialog.panel");
  if (panel) sessionStorage.setItem(openKey(), JSON.stringify({ page: location.pathname, url: panel.dataset.url }));
}

function restore(form) {
  const text = sessionStorage.getItem(keyOf(form));
  if (!text) return;
  const { fields, file, seen: began } = JSON.parse(text);
  // The server has sent back what was typed last.
  if ("filled" in form.dataset) return;
  if (began !== seen(form)) {
    sessionStorage.removeItem(keyOf(form));
    return;
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
  for (const form of kept(root)) {
    restore(form);
    let timer = 0;
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => form.isConnected && !form.dataset.sent && save(form), PAUSE_MS);
    });
    // A click on a link may leave the page before the pause is over.
    form.addEventListener("focusout", () => timer && !form.dataset.sent && save(form));
    for (const link of $$("[data-forget]", form)) link.addEventListener("click", () => forgetDraft(form));
  }
}

/** What was typed into `form` has been sent. */
export function forgetDraft(form) {
  form.dataset.sent = "1";
  sessionStorage.removeItem(keyOf(form));
  sessionStorage.removeItem(openKey());
}

/** The panel was closed: it does not open by itself any more, but remembers what was typed. */
export function forgetOpen() {
  sessionStorage.removeItem(openKey());
}

/** The address of the panel that was open, half-filled, when this page went away; or null. */
export function panelToReopen() {
  const { page, url } = JSON.parse(sessionStorage.getItem(openKey()) ?? "{}");
  return page === location.pathname ? url : null;
}

/** Whoever signs out, or signs in as somebody else, leaves nothing behind. */
export function guardDrafts() {
  const drop = (isOurs) => {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith("draft-") && !isOurs(key)) sessionStorage.removeItem(key);
    }
  };
  if (user()) drop((key) => key.startsWith(prefix()) || key === openKey());
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action")?.endsWith("/sign-out")) drop(() => false);
  });
}
