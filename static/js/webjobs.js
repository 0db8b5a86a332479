// The blade: selection, commands on the selected row, menus, refresh.

import { confirm } from "./confirm.js";
import { $, $$, parse } from "./dom.js";
import { closeMenu, openMenu } from "./menu.js";
import { Failure, fragment, send } from "./net.js";
import { closePanel, openPanel, reloadPanel } from "./panel.js";
import { refreshTimes } from "./times.js";
import { toast } from "./toasts.js";

const CALM_MS = 4000;
const EAGER_MS = 700;
const TYPING_MS = 200;
// After a command the grid is looked at more often, for this long.
const EAGER_FOR_MS = 15000;

const grid = $("#grid");
let selected = null;
let shown = "";
let etag = "";
let eagerUntil = 0;
let filtering = 0;

const rows = () => $$("tbody tr", grid);
const row = () => rows().find((each) => each.dataset.key === selected) ?? null;
const command = (name) => $(`#commands [data-command="${name}"]`);

/** Why `name` cannot act on `target`, in words; null when it can. */
function reason(name, target) {
  if (!target) return gettext("Select a WebJob first.");
  const button = command(name);
  if (button.dataset.why) return button.dataset.why;
  if (name === "run" && "active" in target.dataset) {
    return gettext("Cannot start a new run since job is already running.");
  }
  if (name === "start" && !("canStart" in target.dataset)) return gettext("It is started.");
  if (name === "stop" && !("canStop" in target.dataset)) return gettext("It is stopped.");
  return null;
}

function drawCommands() {
  const target = row();
  const continuous = target?.dataset.type === "continuous";
  command("run").hidden = continuous;
  command("start").hidden = command("stop").hidden = !continuous;
  for (const name of ["delete", "run", "start", "stop", "properties"]) {
    const button = command(name);
    const why = reason(name, target);
    button.disabled = why !== null;
    button.title = why ?? "";
  }
  const logs = command("logs");
  logs.dataset.list ??= logs.href;
  logs.href = target ? target.dataset.history : logs.dataset.list;
}

function select(target, focus = true) {
  selected = target?.dataset.key ?? null;
  for (const each of rows()) {
    const is = each === target;
    each.setAttribute("aria-selected", String(is));
    each.tabIndex = is ? 0 : -1;
  }
  if (!target && rows()[0]) rows()[0].tabIndex = 0;
  if (target && focus) target.focus();
  drawCommands();
}

async function refresh(loud = false) {
  const button = command("refresh");
  if (loud) button.classList.add("spinning");
  try {
    const answer = await fragment(grid.dataset.rows + location.search, loud ? "" : etag);
    if (answer) etag = answer.etag;
    if (answer && answer.html !== shown) replace(answer.html);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (loud) toast("error", error.message);
  } finally {
    button.classList.remove("spinning");
  }
}

function replace(html) {
  shown = html;
  const active = document.activeElement;
  const hadFocus = grid.contains(active) && active.matches("tr");
  grid.replaceChildren(parse(html));
  refreshTimes(grid);
  select(row(), hadFocus);
}

function ask(name, target) {
  const { title, question } = command(name).dataset;
  const active = document.activeElement;
  // The grid may have been drawn anew by then.
  const back = active?.closest("#commands") ? active : row;
  return confirm({ title, question, target: target.dataset.name, withArguments: name === "run", back });
}

async function act(name, target) {
  if (name === "logs") return open(target.dataset.history, "_blank");
  if (name === "properties") return openPanel(`${target.dataset.base}properties`, true);
  const body = await ask(name, target);
  if (!body) return undefined;
  const words = { name: target.dataset.name };
  const notice = toast("progress", interpolate(command(name).dataset.progress, words, true));
  try {
    const answer = await send(target.dataset.base + name, body);
    if (!answer.ok) {
      notice.become("error", answer.data.error ?? Object.values(answer.data.errors).flat().join(" "));
    } else {
      const link = name === "run" ? { url: answer.data.url, link: gettext("View the run") } : {};
      notice.become("success", answer.data.message, link);
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    notice.become("error", error.message);
  }
  eagerUntil = Date.now() + EAGER_FOR_MS;
  return refresh();
}

function menuItems(target) {
  const names =
    target.dataset.type === "continuous"
      ? ["start", "stop", "logs", "properties", "delete"]
      : ["run", "logs", "properties", "delete"];
  return names.map((name) => ({
    label: command(name).textContent.trim(),
    icon: name,
    disabled: name === "logs" ? null : reason(name, target),
    act: () => act(name, target),
  }));
}

function menuAt(target, x, y) {
  select(target);
  openMenu(menuItems(target), x, y, row);
}

function menuOf(target) {
  const box = target.getBoundingClientRect();
  menuAt(target, box.left + 24, box.bottom - 4);
}

function onKey(event) {
  const target = event.target.closest("tbody tr");
  if (!target || event.target.closest("a")) return;
  const all = rows();
  const at = all.indexOf(target);
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
  if (event.key in moves) select(all[Math.max(0, Math.min(all.length - 1, moves[event.key]))]);
  else if (event.key === "Enter") act("properties", target);
  else if (event.key === " ") select(target);
  else if (event.key === "Delete" && !reason("delete", target)) act("delete", target);
  else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) menuOf(target);
  else return;
  event.preventDefault();
}

function listen() {
  grid.addEventListener("click", (event) => {
    const target = event.target.closest("tbody tr");
    const more = event.target.closest("[data-menu]");
    if (more) {
      event.preventDefault();
      const box = more.getBoundingClientRect();
      menuAt(target, box.right - 184, box.bottom);
    } else if (target && !event.target.closest("a")) select(target);
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
    if (event.target.matches("tbody tr") && event.target.dataset.key !== selected) select(event.target);
  });
  grid.addEventListener("keydown", onKey);
  for (const name of ["delete", "run", "start", "stop", "properties"]) {
    command(name).addEventListener("click", () => act(name, row()));
  }
  const filter = $("#webjob-filter");
  filter?.addEventListener("input", () => {
    clearTimeout(filtering);
    filtering = setTimeout(() => {
      history.replaceState(null, "", `?${new URLSearchParams({ q: filter.value })}`);
      refresh();
    }, TYPING_MS);
  });
  command("refresh").addEventListener("click", (event) => {
    event.preventDefault();
    refresh(true);
  });
  document.addEventListener("portal:changed", onChanged);
  // The commands at the foot of the Properties pane.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("dialog [data-act]");
    if (!link || !row()) return;
    event.preventDefault();
    closePanel();
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
  selected = data.key ?? selected;
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
select(null);
poll();
addEventListener("pagehide", closeMenu);
