// Environment variables: values on request, changes collected and applied all at once.

import { keep as keepAddress } from "./address.js";
import { confirm } from "./confirm.js";
import { reveal } from "./copy.js";
import { $, $$, icon, isFocusLost, parse } from "./dom.js";
import { forgetDraft, sealedDraft } from "./drafts.js";
import { showError } from "./forms.js";
import { Failure, fragment, send } from "./net.js";
import { closePanel, onContent, openPanel } from "./panel.js";
import { Changes, fresh, wish } from "./setting_changes.js";
import { drawRows } from "./setting_rows.js";
import { Values } from "./setting_values.js";
import { toast } from "./toasts.js";

const list = $("#settings-list");
const showAll = $("#show-values");
const applyButton = $("#settings-apply");
const discardButton = $("#settings-discard");
const refreshLink = $("#settings-refresh");

let values = null;
let changes = null;
let byRow = new Map();
let editing = null;
let leaving = false;
// The changes of an earlier look at this page in this tab; until then nothing is drawn over them.
let recalled = null;
let isRecalled = false;
const draft = sealedDraft("changes");

const isDirty = () => changes !== null && changes.changed.length > 0;
const rowsOf = (root) => $$("#settings tbody tr", root);

/** A button that is disabled cannot keep the focus. */
function enable(button, on) {
  const had = button === document.activeElement;
  button.disabled = !on;
  if (had && !on) refreshLink.focus();
}

function draw() {
  const wasInList = list.contains(document.activeElement);
  byRow = drawRows(list, changes.sorted, {
    base: location.pathname,
    mayChange: applyButton !== null,
    mayReveal: "mayReveal" in list.dataset,
    whyNot: showAll.title,
    valueOf: (item) => values.of(item),
    isShown: (item) => values.isShown(item),
  });
  if (isRecalled && isDirty()) draft.keep(changes.draft);
  else if (isRecalled) draft.forget();
  if (wasInList && isFocusLost()) refreshLink.focus();
  for (const button of [applyButton, discardButton]) if (button) enable(button, isDirty());
  $("#dirty-mark").hidden = !isDirty();
  const filter = $("#setting-filter");
  if (filter.value) filter.dispatchEvent(new Event("input", { bubbles: true }));
}

async function guarded(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // What is not applied yet is in this tab alone.
    toast("error", error.message, { ...error.more, target: "_blank" });
    return undefined;
  }
}

/** Show or hide values. */
function toggle(work) {
  return guarded(async () => {
    await work();
    draw();
  });
}

/** Read the settings anew; our changes stay on top. */
async function reread() {
  const answer = await fragment(location.pathname);
  values.forget();
  changes.rebase(rowsOf(parse(answer.html)));
  draw();
}

function forget() {
  changes.items = changes.items
    .filter((item) => item.was)
    .map((item) => ({ ...item, name: item.was, value: null, ...item.old, deleted: false, problem: "" }));
  tell([]);
}

const ask = (title, question, back) => confirm({ title, question, back });

async function refresh(button) {
  if (isDirty()) {
    const question = gettext("Any unsaved changes will be lost on refreshing. Are you sure you want to continue?");
    if (!(await ask(gettext("Refresh App Settings"), question, button))) return;
    forget();
  }
  await guarded(reread);
}

async function discard(button) {
  const question = gettext("Unsaved changes will be discarded.");
  if (!(await ask(gettext("Discard changes"), question, button))) return;
  forget();
  draw();
}

/** Sentences above the list; none hides it. */
function tell(sentences) {
  const notice = $("#settings-notice");
  notice.hidden = !sentences.length;
  $("div", notice).replaceChildren(...sentences.map((text) => {
    const line = document.createElement("p");
    line.textContent = text;
    return line;
  }));
}

function sendChanges(items, check = false) {
  const body = new FormData();
  body.append("changes", JSON.stringify(items.map(wish)));
  if (check) body.append("check", "1");
  return send(list.dataset.apply, body);
}

async function apply() {
  const question = gettext(
    "Your app may restart if you are updating application settings or connection strings. Are you sure you want to continue?",
  );
  if (!(await ask(gettext("Save changes"), question, applyButton))) return;
  const items = changes.changed;
  const notice = toast("progress", list.dataset.progress);
  enable(applyButton, false);
  try {
    const answer = await sendChanges(items);
    const { undo } = answer.data;
    notice.become(answer.ok ? "success" : "error", answer.data.message ?? answer.data.error, { undo });
    if (answer.ok) forget();
    for (const item of changes.items) item.problem = "";
    for (const problem of answer.data.problems ?? []) items[problem.index].problem = problem.message;
    const { conflicts } = answer.data;
    if (answer.ok || conflicts) await reread();
    if (conflicts) {
      tell([
        ...conflicts.map((conflict) => conflict.words),
        gettext("Nothing was applied, and your changes are still here. Apply them again to overwrite, or discard them."),
      ]);
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // What is not applied yet stays in this tab alone, so that no secret is written anywhere.
    notice.become("error", error.message, { ...error.more, target: "_blank" });
  }
  draw();
}

/** Open the panel of one setting and fill in what is changed but not applied. */
async function edit(item, url) {
  const panel = item.was
    ? await openPanel(url)
    : await openPanel(`${url}#${changes.items.indexOf(item)}`, `${encodeURIComponent(item.name)}/edit`);
  editing = item;
  const form = panel && $("form.setting-form", panel);
  if (!form || panel.dataset.dirty) return;
  if (!item.was) form.dataset.seen = item.name;
  const { name, value, is_slot_setting: slotSetting, is_secret: secret, keep_value: keep } = form.elements;
  name.value = item.name;
  slotSetting.checked = item.slotSetting;
  secret.checked = item.secret;
  if (item.value === null) return;
  value.value = item.value;
  if (keep) keep.checked = false;
}

/** The panel's button: take over what was typed, once the server finds nothing against it. */
async function take(form) {
  const { name, value, is_slot_setting: slotSetting, is_secret: secret, keep_value: keep } = form.elements;
  const next = {
    ...editing,
    name: name.value.trim(),
    value: keep?.checked ? null : value.value,
    slotSetting: slotSetting.checked,
    secret: secret.checked,
    problem: "",
  };
  if (next.value !== null && !next.secret && next.was && values.told(next) === next.value) next.value = null;
  for (const field of ["name", "value"]) showError(form, field, "");
  if (!next.name) {
    showError(form, "name", gettext("This field is required"));
    name.focus();
    return;
  }
  const others = changes.changed.filter((item) => item !== editing);
  const answer = await sendChanges([...others, next], true);
  const mine = (answer.data.problems ?? []).filter((problem) => problem.index === others.length);
  for (const problem of mine) showError(form, problem.field, problem.message);
  if (mine.length) {
    $("[aria-invalid=true]", form).focus();
    return;
  }
  forgetDraft(form);
  changes.put(editing, next);
  closePanel(true);
  draw();
  rowsOf(list).find((row) => row.dataset.name === next.name)?.querySelector("a")?.focus();
}

async function openAdvanced(url) {
  const panel = await openPanel(url);
  const form = panel && $("form.advanced-form", panel);
  if (!form || panel.dataset.dirty) return;
  const known = (item) => (item.secret || !values.isShown(item) ? null : values.of(item));
  const entries = changes.sorted
    .filter((item) => !item.deleted)
    .map((item) => ({ name: item.name, value: item.value ?? known(item), slotSetting: item.slotSetting }));
  form.elements.json.value = form.dataset.seen = JSON.stringify(entries, null, 2);
  $(".show-json", form).addEventListener("click", () => guarded(() => fillIn(form.elements.json)));
}

/** Values in the place of the JSON's nulls; those of secrets stay null. */
async function fillIn(area) {
  await values.fetch();
  let entries = [];
  try {
    entries = JSON.parse(area.value);
  } catch {
    toast("error", gettext("Invalid JSON object"));
    return;
  }
  for (const entry of entries) entry.value ??= values.revealed.get(String(entry.name).toLowerCase()) ?? null;
  area.value = JSON.stringify(entries, null, 2);
}

async function takeAll(form) {
  showError(form, "json", "");
  const answer = await send(form.getAttribute("action"), new FormData(form));
  if (!answer.ok) {
    showError(form, "json", answer.data.errors?.json.join(" ") ?? answer.data.error);
    form.elements.json.focus();
    return;
  }
  forgetDraft(form);
  changes.replaceAll(answer.data.settings);
  for (const item of changes.items) {
    if (item.was && !item.secret && item.value !== null && values.told(item) === item.value) item.value = null;
  }
  closePanel(true);
  draw();
  $("[data-advanced]").focus();
}

function onSubmit(event) {
  const taker = { "setting-form": take, "advanced-form": takeAll }[event.target.className];
  if (!taker || !event.target.closest("dialog")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  guarded(() => taker(event.target));
}

/** A link to elsewhere while something is not applied: ask first. */
async function onLeave(event) {
  const link = event.target.closest("a[href]");
  const stays = !link || link.target || link.closest("dialog, #settings-list, .commands, .skip");
  if (stays || event.ctrlKey || event.metaKey || event.shiftKey || !isDirty()) return;
  event.preventDefault();
  event.stopPropagation();
  if (!(await ask(gettext("Leave this page"), gettext("Unsaved changes will be discarded."), link))) return;
  leaving = true;
  draft.forget();
  location.assign(link.href);
}

/** What the fields of the panel mean to each other, also on a page of its own. */
function connect(root) {
  for (const form of $$("form.setting-form", root)) {
    const { value, keep_value: keep } = form.elements;
    value.addEventListener("input", () => keep && (keep.checked = false));
    keep?.addEventListener("change", () => keep.checked && (value.value = ""));
    const show = $(".show-present", form);
    show?.addEventListener("click", () =>
      guarded(async () => {
        const { name } = show.dataset;
        const told = values ? await values.fetch(name) : (await reveal(show.dataset.reveal, { name })).values;
        value.value = told[name] ?? "";
        value.focus();
      }),
    );
  }
}

function onListClick(event) {
  const item = byRow.get(event.target.closest("tr"));
  const target = event.target.closest(".setting-value, [data-edit], [data-delete], [data-restore]");
  if (!item || !target) return;
  event.preventDefault();
  if (target.matches(".setting-value")) toggle(() => values.toggle(item));
  else if (target.matches("[data-edit]")) edit(item, target.href);
  else {
    if (target.matches("[data-delete]")) changes.remove(item);
    else changes.restore(item);
    draw();
  }
}

const openAdd = (url) => openPanel(url).then(() => (editing = fresh()));

/** A panel that the address names, filled in as a click would. */
function onPanel(event) {
  if (!applyButton || event.detail.includes("/properties")) return;
  event.preventDefault();
  recalled.then(() => openNamed(event.detail));
}

function openNamed(name) {
  const [, encoded] = /^([^/]+)\/edit$/.exec(name) ?? [];
  const item = changes.items.find((each) => encodeURIComponent(each.was || each.name) === encoded);
  if (name === "add") openAdd($("[data-add]").href);
  else if (name === "advanced") guarded(() => openAdvanced($("[data-advanced]").href));
  else if (item) edit(item, item.was ? `${location.pathname}${encoded}/edit` : $("[data-add]").href);
  else keepAddress({ panel: "" });
}

/** What was changed and not applied before the page was loaded anew, or the session ended. */
async function recall() {
  const text = applyButton ? await draft.recall() : null;
  // Kept as it is until it can be opened.
  if (text === undefined) return;
  isRecalled = true;
  if (draft.why) tell([draft.why]);
  if (!text) return;
  changes.recall(text);
  draw();
  tell([gettext("Your changes that are not applied yet are still here. Apply them, or discard them.")]);
}

function listen() {
  list.addEventListener("click", onListClick);
  showAll.addEventListener("click", () => toggle(() => values.toggleAll(changes.items)));
  applyButton?.addEventListener("click", apply);
  discardButton?.addEventListener("click", () => discard(discardButton));
  refreshLink.addEventListener("click", (event) => {
    event.preventDefault();
    refresh(event.currentTarget);
  });
  $("[data-add]")?.addEventListener("click", (event) => {
    event.preventDefault();
    editing = null;
    openAdd(event.currentTarget.href);
  });
  $("[data-advanced]")?.addEventListener("click", (event) => {
    event.preventDefault();
    guarded(() => openAdvanced(event.currentTarget.href));
  });
  document.addEventListener("portal:panel", onPanel);
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("click", onLeave, true);
  addEventListener("beforeunload", (event) => {
    if (isDirty() && !leaving && draft.text !== changes.draft) event.preventDefault();
  });
}

onContent(connect);
// On its own page the form is there before this module is.
connect(document);

if (list) {
  values = new Values(list.dataset.reveal, showAll);
  changes = new Changes(rowsOf(list));
  draw();
  listen();
  recalled = recall();
}
