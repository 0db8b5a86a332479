// Environment variables: values on request, changes after a question.

import { confirm } from "./confirm.js";
import { reveal } from "./copy.js";
import { $, $$, icon, parse } from "./dom.js";
import { Failure, fragment, send } from "./net.js";
import { closePanel, onContent } from "./panel.js";
import { toast } from "./toasts.js";

const list = $("#settings-list");
const showAll = $("#show-values");
const mask = () => gettext("Hidden value. Click to show value");

function draw(button, value) {
  button.setAttribute("aria-pressed", String(value !== null));
  $(".shown-value", button).textContent = value ?? mask();
  $("svg", button).replaceWith(icon(value === null ? "eye" : "eye-off"));
}

function drawShowAll(on) {
  showAll.setAttribute("aria-pressed", String(on));
  showAll.dataset.off ??= $("span", showAll).textContent;
  $("span", showAll).textContent = on ? showAll.dataset.on : showAll.dataset.off;
  $("svg", showAll).replaceWith(icon(on ? "eye-off" : "eye"));
}

async function guarded(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast("error", error.message);
  }
}

const values = async (fields) => (await reveal(list.dataset.reveal, fields)).values;

function toggleOne(button) {
  return guarded(async () => {
    const { name } = button.closest("tr").dataset;
    const shown = button.getAttribute("aria-pressed") === "true";
    draw(button, shown ? null : (await values({ name }))[name]);
  });
}

function toggleAll() {
  return guarded(async () => {
    const on = showAll.getAttribute("aria-pressed") !== "true";
    const found = on ? await values({}) : {};
    for (const button of $$(".setting-value", list)) {
      draw(button, on ? (found[button.closest("tr").dataset.name] ?? null) : null);
    }
    drawShowAll(on);
  });
}

async function refresh() {
  const answer = await fragment(location.pathname);
  list.replaceChildren(parse(answer.html));
  drawShowAll(false);
  const filter = $("#setting-filter");
  if (filter.value) filter.dispatchEvent(new Event("input", { bubbles: true }));
}

async function remove(link) {
  const { title, question, progress } = list.dataset;
  const target = link.closest("tr").dataset.name;
  const body = await confirm({ title, question, target, back: link });
  if (!body) return;
  const notice = toast("progress", progress);
  try {
    const answer = await send(link.href, body);
    notice.become(answer.ok ? "success" : "error", answer.data.message ?? answer.data.error);
    await refresh();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    notice.become("error", error.message);
  }
}

function editing(root) {
  for (const form of $$("form.setting-form", root)) {
    const { value, keep_value: keep } = form.elements;
    value.addEventListener("input", () => keep && (keep.checked = false));
    keep?.addEventListener("change", () => keep.checked && (value.value = ""));
    const show = $(".show-present", form);
    show?.addEventListener("click", () =>
      guarded(async () => {
        const { name } = show.dataset;
        value.value = (await reveal(show.dataset.reveal, { name })).values[name] ?? "";
        value.focus();
      }),
    );
  }
}

onContent(editing);
// On its own page the form is there before this module is.
editing(document);

if (list) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest(".setting-value");
    const link = event.target.closest("[data-delete]");
    if (button) toggleOne(button);
    else if (link) {
      event.preventDefault();
      remove(link);
    }
  });
  showAll.addEventListener("click", toggleAll);
  $("#settings-refresh").addEventListener("click", (event) => {
    event.preventDefault();
    guarded(refresh);
  });
  document.addEventListener("portal:changed", (event) => {
    event.preventDefault();
    closePanel(true);
    guarded(refresh);
  });
}
