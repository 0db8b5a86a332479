// What every page has: times, toasts, panels, search keys, the side menu, balloons, toolbars.

import "./add.js";
import { asked, keep, onBack } from "./address.js";
import "./builder.js";
import "./copy.js";
import { $, $$, folded, isFocusLost } from "./dom.js";
import { startPalette } from "./palette.js";
import { guardForms } from "./net.js";
import { enhance, startPanels } from "./panel.js";
import { keepTimesFresh } from "./times.js";
import { tips } from "./tips.js";
import { startToasts } from "./toasts.js";

// Which button of which page sent a form.
const SENT = "sent-from";

function filterSide() {
  const current = $(".side [aria-current]");
  if (matchMedia("(max-width: 760px)").matches) current?.scrollIntoView({ block: "nearest", inline: "center" });
  const input = $("#side-filter");
  input?.addEventListener("input", () => {
    const wanted = folded(input.value);
    let shown = 0;
    for (const list of $$(".side ul")) {
      const items = $$("li", list);
      for (const item of items) item.hidden = !folded(item.textContent).includes(wanted);
      const some = items.some((item) => !item.hidden);
      list.previousElementSibling.hidden = !some;
      shown += some ? 1 : 0;
    }
    $(".side-empty").hidden = shown > 0;
  });
  input?.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && input.value.trim()) $(".side li:not([hidden]) a")?.click();
  });
}

/** `data-filter="#id"`: hide the rows of that table whose `data-text` has not what is typed. */
function filterTables() {
  document.addEventListener("input", (event) => {
    const input = event.target.closest("input[data-filter]");
    if (!input) return;
    const wanted = input.value.trim().toLowerCase();
    const rows = $$(`${input.dataset.filter} tbody tr[data-text]`);
    for (const row of rows) row.hidden = !row.dataset.text.includes(wanted);
    const none = $(`${input.dataset.filter}-none`);
    if (none) none.hidden = !rows.length || rows.some((row) => !row.hidden);
    keep({ filter: input.value });
  });
  const recall = () => {
    const input = $("input[data-filter]");
    const text = asked("filter") ?? "";
    if (!input || input.value === text || (!text && input.name)) return;
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  onBack(recall);
  addEventListener("DOMContentLoaded", recall);
}

function closeDetails() {
  const open = () => $$("details.balloon[open], details.user-menu[open]");
  document.addEventListener("click", (event) => {
    for (const details of open()) if (!details.contains(event.target)) details.open = false;
  });
  // Before the dialog around it sees the key.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape") return;
      for (const details of open()) {
        details.open = false;
        $("summary", details).focus();
        event.preventDefault();
        event.stopPropagation();
      }
    },
    true,
  );
  // Left by the Tab key, it would lie upon what has the focus then.
  document.addEventListener("focusin", (event) => {
    for (const details of open()) if (!details.contains(event.target)) details.open = false;
  });
}

/** Up and down, Home and End go through the menu at the top right; down opens it. */
function menuKeys() {
  const menu = $("#user-menu");
  menu?.addEventListener("keydown", (event) => {
    const items = $$(".popup a, .popup button", menu);
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    menu.open = true;
    items.at(to % items.length).focus();
    event.preventDefault();
  });
}

function arrowKeys() {
  document.addEventListener("keydown", (event) => {
    const bar = event.target.closest?.("[role=toolbar]");
    if (!bar || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    const commands = $$("a.command, button.command", bar).filter(
      (command) => !command.hidden && !command.disabled,
    );
    const at = commands.indexOf(document.activeElement);
    const last = commands.length - 1;
    const to = { ArrowLeft: at <= 0 ? last : at - 1, ArrowRight: at === last ? 0 : at + 1, Home: 0, End: last };
    commands[to[event.key]]?.focus();
    event.preventDefault();
  });
}

/** A page that came back with a form that was refused begins at what is to be mended. */
function goToFirstError() {
  if (isFocusLost() && !$("[autofocus]")) $("main [aria-invalid=true]:not([type=hidden])")?.focus();
}

/** A page that comes back after one of its forms was sent goes on at the button that sent it. */
function goOnWhereItWasSent() {
  const sent = JSON.parse(sessionStorage.getItem(SENT) ?? "null");
  sessionStorage.removeItem(SENT);
  addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || !submitter) return;
    const place = { path: location.pathname, action: form.getAttribute("action"), value: submitter.value };
    sessionStorage.setItem(SENT, JSON.stringify(place));
  });
  if (sent?.path !== location.pathname || !isFocusLost() || $("[autofocus]")) return;
  const form = $$("form").find((each) => each.getAttribute("action") === sent.action);
  const button = form && $$("button", form).find((each) => each.value === sent.value);
  const folded = button?.closest("details:not([open])");
  (folded ? $("summary", folded) : button)?.focus();
}

startToasts();
startPanels();
guardForms();
keepTimesFresh();
filterSide();
filterTables();
closeDetails();
arrowKeys();
menuKeys();
tips();
startPalette();
enhance(document);
goToFirstError();
goOnWhereItWasSent();
