// The history pages: parts that follow by themselves, and commands with their question.

import { confirm } from "./confirm.js";
import { $, $$, finder } from "./dom.js";
import { redraw } from "./live.js";
import { Failure, fragment, send } from "./net.js";
import { closePanel, reloadPanel } from "./panel.js";
import { looked, lookedInVain } from "./stale.js";
import { toast } from "./toasts.js";

const etags = new Map();

async function refresh(part) {
  let answer = null;
  try {
    answer = await fragment(location.href, etags.get(part) ?? "");
    looked();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    lookedInVain(error);
  }
  if (!answer || part.contains($(".confirm"))) return;
  etags.set(part, answer.etag);
  const scrolled = $(".copies", part)?.scrollTop ?? 0;
  redraw(part, answer.html);
  if (scrolled) $(".copies", part)?.scrollTo(0, scrolled);
}

/** `data-live` is how often, in milliseconds; `data-live-calm` while nothing is active in it. */
function follow(part) {
  const calm = part.dataset.liveCalm && !$("[data-active]", part);
  setTimeout(async () => {
    if (!document.hidden) await refresh(part);
    follow(part);
  }, Number(calm ? part.dataset.liveCalm : part.dataset.live));
}

async function ask(link) {
  const { title, question, name, progress } = link.dataset;
  // "again" runs with the same arguments, which are shown; "run" lets them be changed.
  const isRun = ["run", "again"].includes(link.dataset.ask);
  const withArguments = link.dataset.ask === "run";
  const target = isRun && !withArguments ? `${name} ${link.dataset.arguments}`.trim() : name;
  // The part that it is in may be drawn anew meanwhile.
  const asked = confirm({ title, question, target, withArguments, back: finder(link) });
  if (link.dataset.arguments) $("#confirm-arguments").value = link.dataset.arguments;
  const body = await asked;
  if (!body) return;
  const notice = toast("progress", interpolate(progress, { name }, true));
  try {
    const answer = await send(link.href, body);
    if (!answer.ok) {
      notice.become("error", answer.data.error ?? Object.values(answer.data.errors).flat().join(" "));
      return;
    }
    const { url, undo } = answer.data;
    const more = isRun ? { url, link: gettext("View the run") } : { undo };
    notice.become("success", answer.data.message, more);
    if ("follow" in link.dataset) location.assign(url);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    notice.become("error", error.message);
  }
  for (const part of $$("[data-live]")) refresh(part);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-ask]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  ask(link);
});

document.addEventListener("portal:changed", (event) => {
  event.preventDefault();
  if (event.detail.form.closest("dialog")) {
    if ("stay" in event.detail.form.dataset) reloadPanel();
    else closePanel(true);
  }
  for (const part of $$("[data-live]")) refresh(part);
  const summary = $("#summary");
  if (summary) refresh(summary);
});

// Of what can be undone here, only starting and stopping shows in a part that follows by itself.
document.addEventListener("portal:undone", (event) => {
  if (!$("[data-ask=start], [data-ask=stop]")) return;
  event.preventDefault();
  for (const part of $$("[data-live]")) refresh(part);
});

for (const part of $$("[data-live]")) follow(part);
