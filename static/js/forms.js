// Forms that are sent without leaving the page; what was typed and chosen stays when refused.

import { $, $$, icon, isFocusLost, make } from "./dom.js";
import { Failure, send } from "./net.js";
import { toast } from "./toasts.js";

let described = 0;

function clear(form) {
  for (const error of $$(".field-error", form)) error.textContent = "";
  for (const field of $$("[aria-invalid]", form)) field.removeAttribute("aria-invalid");
  for (const field of $$(".has-error", form)) field.classList.remove("has-error");
}

// Beside it there may be others, such as the choices that write a schedule.
const inputOf = (place, name) => $(`[name="${name}"]`, place) ?? $("input, select, textarea", place);

/** Fields are described by the errors and the help beside them, also by those that come later. */
export function describe(root) {
  for (const place of $$("[data-field]", root)) {
    const input = inputOf(place, place.dataset.field);
    const told = $$(".field-error, .field-help", place).map((text) => {
      text.id ||= `about-${(described += 1)}`;
      return text.id;
    });
    const others = input?.getAttribute("aria-describedby")?.split(" ") ?? [];
    input?.setAttribute("aria-describedby", [...new Set([...others, ...told])].join(" "));
  }
}

/** Put a message beside the field `name`; false when the form has no such field. */
export function showError(form, name, text) {
  const place = $(`[data-field="${name}"]`, form);
  if (!place) return false;
  place.hidden = false;
  place.classList.toggle("has-error", Boolean(text));
  const error = $(".field-error", place);
  // What stands there already was read out.
  if (error.textContent !== text) error.textContent = text;
  const input = inputOf(place, name);
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  return true;
}

function showErrors(form, errors) {
  const rest = [];
  for (const [name, found] of Object.entries(errors)) {
    if (!showError(form, name, found.join(" "))) rest.push(...found);
  }
  const general = $("[data-errors]", form);
  if (general) general.textContent = rest.join(" ");
  ($("[aria-invalid=true]", form) ?? general)?.focus();
  return rest;
}

function required(form) {
  const missing = $$("[data-required]", form).filter((input) => {
    const shown = !input.closest("[hidden]") && !input.disabled;
    return shown && !(input.type === "file" ? input.files.length : input.value.trim());
  });
  for (const input of missing) {
    showError(form, input.closest("[data-field]").dataset.field, gettext("This field is required"));
  }
  missing[0]?.focus();
  return missing.length > 0;
}

/** What a form that lacks something sends: no files, since it will be refused for what it lacks. */
function withoutFiles(form, body) {
  for (const input of $$("input[type=file]", form)) body.delete(input.name);
}

/** Of a file that was left out, nothing is known that the form does not say itself. */
function knownOf(form, errors) {
  const chosen = $$("input[type=file]", form).filter((input) => input.files.length);
  for (const { name } of chosen) delete errors[name];
  return errors;
}

function uploadBar(form) {
  const file = $("input[type=file]", form);
  if (!file?.files.length) return { show: () => {}, remove: () => {} };
  const bar = make("progress", { max: "1", value: "0", "aria-label": gettext("Upload") });
  file.closest("[data-field]").append(bar);
  return { show: (part) => (bar.value = part), remove: () => bar.remove() };
}

/**
 * Send `form`; resolves to the answer's data, or null when it was refused or failed. Also when
 * something is missing: the server alone knows what else is wrong, and all is told at once.
 */
export async function submit(form, submitter) {
  clear(form);
  const isLacking = required(form);
  const body = new FormData(form, submitter);
  if (isLacking) withoutFiles(form, body);
  const buttons = $$("button", form).filter((button) => !button.disabled);
  const name = form.elements.name?.value ?? form.dataset.name ?? "";
  const progress = form.dataset.progress && interpolate(form.dataset.progress, { name }, true);
  const notice = progress && !isLacking ? toast("progress", progress) : null;
  const bar = uploadBar(form);
  const active = document.activeElement;
  for (const button of buttons) button.disabled = true;
  const fail = (text, more) => (notice ? notice.become("error", text, more) : toast("error", text, more));
  try {
    // A field may be named "action", and would hide the form's own.
    const answer = await send(form.getAttribute("action"), body, bar.show);
    for (const button of buttons) button.disabled = false;
    if (answer.ok) {
      const { undo } = answer.data;
      const link = form.dataset.link ? { url: answer.data.url, link: form.dataset.link, undo } : { undo };
      if (notice) notice.become("success", answer.data.message, link);
      else if (answer.data.message) toast("success", answer.data.message, link);
      return answer.data;
    }
    const errors = answer.data.errors ?? { __all__: [answer.data.error] };
    const first = Object.values(errors).flat()[0];
    showErrors(form, isLacking ? knownOf(form, errors) : errors);
    // What was seen has changed meanwhile: the next attempt is made in the knowledge of it.
    if (answer.data.base) form.elements.base.value = answer.data.base;
    if (!isLacking || !answer.data.errors) fail(form.dataset.failed ? interpolate(form.dataset.failed, { name, why: first }, true) : first);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const general = $("[data-errors]", form);
    if (general) general.textContent = error.message;
    fail(error.message, error.more);
  } finally {
    for (const button of buttons) button.disabled = false;
    if (isFocusLost()) active.focus();
    bar.remove();
  }
  return null;
}

/** The file field: a read-only name, a folder button, and a place to drop a file on. */
export function dropZone(root) {
  const input = $(".drop input[type=file]", root);
  if (!input) return;
  const name = make("span", { class: "drop-name none" }, input.dataset.placeholder);
  const label = make("label", { for: input.id, title: input.dataset.placeholder }, icon("folder"));
  label.append(make("span", { class: "visually-hidden" }, input.dataset.placeholder));
  $(".drop", root).append(name, label);
  const show = () => {
    const file = input.files[0];
    name.textContent = file ? file.name : input.dataset.placeholder;
    name.classList.toggle("none", !file);
    showError(root, "file", "");
  };
  input.addEventListener("change", show);
  name.addEventListener("click", () => input.click());
  const over = (on) => root.classList.toggle("dragging", on);
  root.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  root.addEventListener("dragleave", (event) => root.contains(event.relatedTarget) || over(false));
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  show();
}
