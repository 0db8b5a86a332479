// The command search: Ctrl-K or / from every page.

import { asked, enter, goOn, keep, leave, onBack } from "./address.js";
import { $, $$, icon, make } from "./dom.js";
import { Failure, read } from "./net.js";
import { openPanel } from "./panel.js";

const PAUSE_MS = 90;
// In the address, with what is typed.
const NAME = "command";

let open = null;

function option(item, at) {
  const line = make("div", { role: "option", id: `found-${at}`, class: "found", "aria-selected": "false" });
  line.append(icon(item.icon), make("span", { class: "found-label" }, item.label), make("span", { class: "soft" }, item.detail));
  return line;
}

function choose(to) {
  const { input, options } = open;
  if (!options.length) return;
  open.at = (to + options.length) % options.length;
  options.forEach((each, at) => each.line.setAttribute("aria-selected", String(at === open.at)));
  input.setAttribute("aria-activedescendant", options[open.at].line.id);
  options[open.at].line.scrollIntoView({ block: "nearest" });
}

function draw(groups) {
  const { list, input, status } = open;
  open.options = [];
  const parts = groups.map((group, number) => {
    const title = make("div", { class: "found-title", id: `found-group-${number}` }, group.title);
    const part = make("div", { role: "group", "aria-labelledby": title.id }, title);
    for (const item of group.items) {
      const line = option(item, open.options.length);
      open.options.push({ line, item });
      part.append(line);
    }
    return part;
  });
  list.replaceChildren(...parts);
  input.removeAttribute("aria-activedescendant");
  const count = open.options.length;
  const words = ngettext("%(count)s result", "%(count)s results", count);
  status.textContent = count ? interpolate(words, { count }, true) : gettext("Nothing has such a name.");
  status.classList.toggle("visually-hidden", count > 0);
  choose(0);
}

async function look() {
  open.running?.abort();
  const running = new AbortController();
  open.running = running;
  const query = new URLSearchParams({ q: open.input.value, at: location.pathname });
  try {
    const { groups } = await read(`${open.url}?${query}`, running.signal);
    if (open?.running !== running) return;
    open.isStale = false;
    draw(groups);
    if (open.entered) take(open.entered);
  } catch (error) {
    if (error.name === "AbortError" || !open) return;
    if (!(error instanceof Failure)) throw error;
    open.status.textContent = error.message;
    open.status.classList.remove("visually-hidden");
  }
}

function switchLanguage(item) {
  const form = make("form", { method: "post", action: item.url, hidden: true });
  const back = new URL(location.href);
  back.searchParams.delete(NAME);
  const fields = {
    csrfmiddlewaretoken: $("[name=csrfmiddlewaretoken]").value,
    next: back.pathname + back.search,
    language: item.language,
  };
  for (const [name, value] of Object.entries(fields)) form.append(make("input", { type: "hidden", name, value }));
  document.body.append(form);
  form.submit();
}

function go(item, event) {
  if (item.language) return switchLanguage(item);
  if (event.ctrlKey || event.metaKey) return window.open(item.url, "_blank", "noopener");
  remove();
  if (!item.panel) return goOn(item.url);
  leave(NAME);
  return openPanel(item.url);
}

function close() {
  if (!open) return;
  remove();
  leave(NAME);
}

function remove() {
  if (!open) return;
  const { dialog, back, running } = open;
  open = null;
  running?.abort();
  dialog.close();
  dialog.remove();
  back?.focus();
}

function take(event) {
  if (open.options[open.at]) go(open.options[open.at].item, event);
}

function onKey(event) {
  const moves = { ArrowDown: open.at + 1, ArrowUp: open.at - 1 };
  if (event.key in moves) choose(moves[event.key]);
  else if (event.key === "Enter") {
    // What is shown does not answer what was typed yet: wait for that.
    if (open.isStale) open.entered = event;
    else take(event);
  } else if (event.key === "Tab" || event.key === "Escape") close();
  else return;
  event.preventDefault();
}

function build() {
  const list = make("div", { role: "listbox", id: "palette-list", class: "palette-list", "aria-label": gettext("Results") });
  const input = make("input", {
    type: "search",
    class: "palette-input",
    role: "combobox",
    "aria-label": gettext("Search apps, WebJobs, pages and actions"),
    "aria-expanded": "true",
    "aria-controls": "palette-list",
    "aria-autocomplete": "list",
    placeholder: gettext("Search apps, WebJobs, pages and actions"),
    autocomplete: "off",
    spellcheck: "false",
  });
  const status = make("p", { class: "palette-status visually-hidden", role: "status" });
  const dialog = make("dialog", { class: "palette", "aria-label": gettext("Command search") });
  dialog.append(input, list, status);
  return { dialog, input, list, status };
}

/** Show the command search; the focus goes back to where it was. */
export function openPalette(text = "") {
  if (open) return;
  const url = $("#top-search")?.dataset.find;
  if (!url) return;
  open = { ...build(), url, back: document.activeElement, options: [], at: 0, running: null };
  const { dialog, input, list } = open;
  let timer = 0;
  input.value = text;
  enter(NAME, text || " ");
  input.addEventListener("input", () => {
    keep({ [NAME]: input.value || " " });
    clearTimeout(timer);
    open.isStale = true;
    open.entered = null;
    timer = setTimeout(() => open && look(), PAUSE_MS);
  });
  input.addEventListener("keydown", onKey);
  list.addEventListener("pointermove", (event) => {
    const at = $$("[role=option]", list).indexOf(event.target.closest("[role=option]"));
    if (at >= 0 && at !== open.at) choose(at);
  });
  list.addEventListener("click", (event) => {
    const found = open.options.find(({ line }) => line.contains(event.target));
    if (found) go(found.item, event);
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
  look();
}

function followAddress() {
  const text = asked(NAME);
  if (text === null) remove();
  else openPalette(text.trim());
}

/** Ctrl-K everywhere, / where nobody types, and the field in the bar at the top. */
export function startPalette() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const ctrlK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey;
    if (!ctrlK && !(event.key === "/" && plain && !typing)) return;
    if (!$("#top-search")) return;
    event.preventDefault();
    if (open && ctrlK) close();
    else openPalette();
  });
  onBack(followAddress);
  if (asked(NAME) !== null) followAddress();
  const field = $("#top-search");
  field?.addEventListener("click", () => openPalette(field.value));
  field?.addEventListener("input", () => {
    const { value } = field;
    field.value = "";
    openPalette(value);
  });
}
