// The blade: selection, commands on the selected row, menus, refresh.

import { asked, keep, onBack } from "./address.js";
import { actOnSeveral } from "./bulk.js";
import { command, reason, reasonAmongSeveral, reasonForAll } from "./commands.js";
import { confirm } from "./confirm.js";
import { $, $$, finder, parse } from "./dom.js";
import { keptArguments } from "./drafts.js";
import { say } from "./live.js";
import { closeMenu, openMenu } from "./menu.js";
import { Failure, fragment, send } from "./net.js";
import { closePanel, openPanel, reloadPanel } from "./panel.js";
import { Selection } from "./selection.js";
import { looked, lookedInVain } from "./stale.js";
import { refreshTimes } from "./times.js";
import { toast } from "./toasts.js";

const CALM_MS = 4000;
const EAGER_MS = 700;
const TYPING_MS = 200;
// After a command the grid is looked at more often, for this long.
const EAGER_FOR_MS = 15000;
// Of the names of the selected rows in the address.
const LONGEST = 1500;

const grid = $("#grid");
const selection = new Selection(grid, drawCommands);
let shown = "";
let etag = "";
let eagerUntil = 0;
let filtering = 0;
let isRecalled = false;

const rows = () => selection.all;
const row = () => selection.row;

function drawCommands() {
  keepSelection();
  const active = document.activeElement;
  const targets = selection.rows;
  const target = targets.length > 1 ? null : (targets[0] ?? null);
  const types = new Set(targets.map((each) => each.dataset.type));
  command("run").hidden = types.size > 0 && !types.has("triggered");
  command("start").hidden = command("stop").hidden = !types.has("continuous");
  for (const name of ["delete", "run", "start", "stop", "properties"]) {
    const button = command(name);
    const why = targets.length > 1 ? reasonForAll(name, targets) : reason(name, target);
    button.disabled = why !== null;
    button.title = why ?? "";
  }
  // A command that was used and has nothing to do any more.
  if (active.closest("#commands") && (active.disabled || active.hidden)) whereToGo().focus();
  const logs = command("logs");
  logs.dataset.list ??= logs.href;
  logs.href = target ? target.dataset.history : logs.dataset.list;
}

/** As the address has it; of many only that they are all, since servers take no longer address. */
function keepSelection() {
  if (!isRecalled) return;
  const names = selection.rows.map((each) => each.dataset.key).join(",");
  const isAll = selection.isSeveral && selection.rows.length === rows().length;
  keep({ select: isAll ? "*" : names.length < LONGEST ? names : "" });
}

/** Select what the address names, of which some may be gone. */
function recall() {
  isRecalled = true;
  const names = asked("select") ?? "";
  if (names === "*") selection.everything();
  else selection.restore(names.split(","));
  const filter = $("#webjob-filter");
  const text = asked("q") ?? "";
  if (!filter || filter.value === text) return;
  filter.value = text;
  refresh();
}

/** The part of the address that tells which rows there are. */
function which() {
  const wanted = new URLSearchParams();
  for (const name of ["q", "after"]) if (asked(name)) wanted.set(name, asked(name));
  return `?${wanted}`;
}

/** What has the focus when nothing else can have it. */
const whereToGo = () => row() ?? command("refresh");

async function refresh(loud = false) {
  const button = command("refresh");
  if (loud) button.classList.add("spinning");
  try {
    const answer = await fragment(grid.dataset.rows + which(), loud ? "" : etag);
    looked();
    if (answer) etag = answer.etag;
    if (answer && answer.html !== shown) replace(answer.html);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    lookedInVain(error);
    if (loud) toast("error", error.message, error.more);
  } finally {
    button.classList.remove("spinning");
  }
}

/** Of the selected rows, which is what somebody waits for. */
const statuses = () =>
  selection.rows.map((each) => `${each.dataset.name}: ${$(".status", each).firstChild.textContent.trim()}`);

function replace(html) {
  shown = html;
  const active = document.activeElement;
  const again = grid.contains(active) ? finder(active) : null;
  const place = rows().indexOf(active.closest("tr"));
  const before = statuses();
  grid.replaceChildren(parse(html));
  refreshTimes(grid);
  selection.renew(again !== null, place);
  const news = statuses().filter((words) => !before.includes(words));
  if (before.length && news.length) say(news.join(", "));
  if (again) (again() ?? whereToGo()).focus();
}

/** Where the focus goes after a question; the grid may have been drawn anew by then. */
function backFromQuestion() {
  const active = document.activeElement;
  return () => (active?.closest("#commands") && !active.disabled ? active : whereToGo());
}

function ask(name, target) {
  const { title, question } = command(name).dataset;
  const back = backFromQuestion();
  const answer = confirm({ title, question, target: target.dataset.name, withArguments: name === "run", back });
  const typed = name === "run" && keptArguments(target.dataset.key).recall();
  if (typed) $("#confirm-arguments").value = typed;
  return answer;
}

async function actOnAll(name) {
  if (!(await actOnSeveral(name, selection.rows, reasonAmongSeveral, backFromQuestion()))) return;
  eagerUntil = Date.now() + EAGER_FOR_MS;
  await refresh();
}

async function act(name, target) {
  if (selection.isSeveral && name !== "logs" && name !== "properties") return actOnAll(name);
  if (name === "logs") return open(target.dataset.history, "_blank");
  if (name === "properties") return openPanel(`${target.dataset.base}properties`);
  const body = await ask(name, target);
  if (!body) return undefined;
  const words = { name: target.dataset.name };
  // What a run was to be started with is there again for the next attempt, until one has begun.
  const kept = keptArguments(target.dataset.key);
  if (name === "run") kept.keep(body.get("arguments"));
  const notice = toast("progress", interpolate(command(name).dataset.progress, words, true));
  try {
    const answer = await send(target.dataset.base + name, body);
    if (!answer.ok) {
      notice.become("error", answer.data.error ?? Object.values(answer.data.errors).flat().join(" "));
    } else {
      const { url, undo } = answer.data;
      if (name === "run") kept.forget();
      const link = name === "run" ? { url, link: gettext("View the run") } : { undo };
      notice.become("success", answer.data.message, link);
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    notice.become("error", error.message, error.more);
  }
  eagerUntil = Date.now() + EAGER_FOR_MS;
  return refresh();
}

function menuOfSeveral() {
  const names = ["run", "start", "stop", "delete"].filter((name) => !command(name).hidden);
  return names.map((name) => ({
    label: command(name).textContent.trim(),
    icon: name,
    disabled: reasonForAll(name, selection.rows),
    act: () => actOnAll(name),
  }));
}

function pageItems(target) {
  const page = (label, icon, path, disabled = null) => ({
    label,
    icon,
    disabled,
    act: () => location.assign(target.dataset.base + path),
  });
  return [
    page(gettext("Edit"), "edit", "edit", command("delete").dataset.why || null),
    page(gettext("Package versions"), "versions", "versions/"),
  ];
}

function menuItems(target) {
  const item = (name) => ({
    label: command(name).textContent.trim(),
    icon: name,
    disabled: name === "logs" ? null : reason(name, target),
    act: () => act(name, target),
  });
  const first = target.dataset.type === "continuous" ? ["start", "stop"] : ["run"];
  const names = [...first, "logs", "properties"];
  return [...names.map(item), ...pageItems(target), item("delete")];
}

function menuAt(target, x, y) {
  const isOneOfSeveral = selection.isSeveral && selection.has(target);
  if (!isOneOfSeveral) selection.only(target);
  openMenu(isOneOfSeveral ? menuOfSeveral() : menuItems(target), x, y, row);
}

function menuOf(target) {
  const box = target.getBoundingClientRect();
  menuAt(target, box.left + 24, box.bottom - 4);
}

/** Touch screens have no Ctrl and no hover: there a tap takes a row in or out. */
const isSelecting = () => command("select").getAttribute("aria-pressed") === "true";

function onClick(event) {
  const target = event.target.closest("tbody tr");
  const more = event.target.closest("[data-menu]");
  if (event.target.matches("[data-pick-all]")) selection.everything(event.target.checked);
  else if (more) {
    event.preventDefault();
    const box = more.getBoundingClientRect();
    menuAt(target, box.right - 184, box.bottom);
  } else if (!target || event.target.closest("a")) return;
  else if (event.shiftKey) selection.extend(target);
  else if (event.ctrlKey || event.metaKey || isSelecting() || event.target.closest(".pick")) selection.toggle(target);
  else selection.only(target);
}

/** Right and left go through the links of a row, such as the marks of its bar, and back to it. */
function moveInside(event, target) {
  const places = [target, ...$$("a:not([data-menu])", target)];
  const at = places.indexOf(event.target.closest("a") ?? target);
  const next = places[at + (event.key === "ArrowRight" ? 1 : -1)];
  if (next) next.focus();
  event.preventDefault();
}

function onKey(event) {
  const target = event.target.closest("tbody tr");
  if (!target) return;
  if (["ArrowRight", "ArrowLeft"].includes(event.key) && !event.target.closest("input")) {
    moveInside(event, target);
    return;
  }
  if (event.target.closest("a")) return;
  const all = rows();
  const at = all.indexOf(target);
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
  const next = all[Math.max(0, Math.min(all.length - 1, moves[event.key] ?? at))];
  const ctrl = event.ctrlKey || event.metaKey;
  if (event.key in moves) {
    if (event.shiftKey) selection.extend(next);
    else if (ctrl) selection.goTo(next);
    else selection.only(next);
  } else if (event.key.toLowerCase() === "a" && ctrl) selection.everything();
  else if (event.key === "Escape" && selection.isSeveral) selection.only(target);
  else if (event.key === "Enter") act("properties", target);
  else if (event.key === " ") {
    if (ctrl || isSelecting()) selection.toggle(target);
    else selection.only(target);
  } else if (event.key === "Delete" && !command("delete").disabled) act("delete", selection.rows[0]);
  else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) menuOf(target);
  else return;
  event.preventDefault();
}

function listen() {
  grid.addEventListener("click", onClick);
  grid.addEventListener("mousedown", (event) => {
    // Neither marks text nor moves the focus, which would select the row alone.
    const takes = event.shiftKey || event.ctrlKey || event.metaKey || isSelecting() || event.target.closest(".pick");
    if (takes && event.target.closest("tbody tr") && !event.target.closest("a")) event.preventDefault();
  });
  command("select").addEventListener("click", () => {
    const on = !isSelecting();
    command("select").setAttribute("aria-pressed", String(on));
    grid.classList.toggle("selecting", on);
  });
  grid.addEventListener("contextmenu", (event) => {
    const target = event.target.closest("tbody tr");
    if (!target || event.target.closest("a:not([data-menu])")) return;
    event.preventDefault();
    // The keyboard's context menu event comes with no pointer.
    if (event.clientX || event.clientY) menuAt(target, event.clientX, event.clientY);
    else menuOf(target);
  });
  grid.addEventListener("dblclick", (event) => {
    const target = event.target.closest("tbody tr");
    if (target) act("properties", target);
  });
  grid.addEventListener("focusin", (event) => {
    const isRow = event.target.matches("tbody tr");
    if (isRow && event.target.dataset.key !== selection.current) selection.only(event.target);
  });
  grid.addEventListener("keydown", onKey);
  for (const name of ["delete", "run", "start", "stop", "properties"]) {
    command(name).addEventListener("click", () => act(name, selection.rows[0]));
  }
  const filter = $("#webjob-filter");
  filter?.addEventListener("input", () => {
    clearTimeout(filtering);
    filtering = setTimeout(() => {
      keep({ q: filter.value, after: "" });
      refresh();
    }, TYPING_MS);
  });
  command("refresh").addEventListener("click", (event) => {
    event.preventDefault();
    refresh(true);
  });
  document.addEventListener("portal:changed", onChanged);
  document.addEventListener("portal:undone", (event) => {
    event.preventDefault();
    eagerUntil = Date.now() + EAGER_FOR_MS;
    reloadPanel();
    refresh();
  });
  // The commands at the foot of the Properties pane.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("dialog [data-act]");
    if (!link || !row()) return;
    event.preventDefault();
    closePanel();
    // The pane is about one, also where several are selected.
    selection.only(row());
    act(link.dataset.act, row());
  });
}

/** A form in a panel has done its work. */
function onChanged(event) {
  event.preventDefault();
  const { form, data } = event.detail;
  eagerUntil = Date.now() + EAGER_FOR_MS;
  if ("stay" in form.dataset) {
    reloadPanel();
    refresh();
    return;
  }
  closePanel(true);
  if (data.key) selection.chooseNext(data.key);
  refresh();
}

function poll() {
  const eager = Date.now() < eagerUntil || rows().some((each) => "active" in each.dataset);
  setTimeout(async () => {
    if (!document.hidden) await refresh();
    poll();
  }, eager ? EAGER_MS : CALM_MS);
}

listen();
recall();
onBack(recall);
poll();
addEventListener("pagehide", closeMenu);
