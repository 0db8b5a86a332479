// A command on several WebJobs: one question that names them, one notification of what became of it.

import { confirm } from "./confirm.js";
import { $ } from "./dom.js";
import { Failure, send } from "./net.js";
import { toast } from "./toasts.js";

/** The words for `count` WebJobs; the commands of the bar have those for one. */
function words(name, count) {
  const questions = {
    run: ngettext(
      "Are you sure you want to run the %(count)s selected WebJob?",
      "Are you sure you want to run the %(count)s selected WebJobs?",
      count,
    ),
    start: ngettext(
      "Are you sure you want to start the %(count)s selected WebJob?",
      "Are you sure you want to start the %(count)s selected WebJobs?",
      count,
    ),
    stop: ngettext(
      "Are you sure you want to stop the %(count)s selected WebJob?",
      "Are you sure you want to stop the %(count)s selected WebJobs?",
      count,
    ),
    delete: ngettext(
      "Are you sure you want to delete the %(count)s selected WebJob?",
      "Are you sure you want to delete the %(count)s selected WebJobs?",
      count,
    ),
  };
  const titles = {
    run: gettext("Run WebJobs"),
    start: gettext("Start WebJobs"),
    stop: gettext("Stop WebJobs"),
    delete: gettext("Delete WebJobs"),
  };
  return { title: titles[name], question: interpolate(questions[name], { count }, true) };
}

/**
 * Ask and do `name` with `rows`; `reason(name, row)` tells why one is skipped, or null. Resolves to
 * whether something was sent.
 */
export async function actOnSeveral(name, rows, reason, back) {
  const judged = rows.map((row) => ({ row, why: reason(name, row) }));
  const fit = judged.filter(({ why }) => why === null).map(({ row }) => row);
  const skipped = judged
    .filter(({ why }) => why !== null)
    .map(({ row, why }) =>
      interpolate(gettext("Skipped: %(name)s. %(why)s"), { name: row.dataset.name, why }, true),
    );
  const target = fit.map((row) => row.dataset.name).join(", ");
  const body = await confirm({ ...words(name, fit.length), target, details: skipped, back });
  if (!body) return false;
  body.append("command", name);
  for (const row of fit) body.append("job", row.dataset.key);
  const { title } = words(name, fit.length);
  const progress = interpolate(gettext("%(what)s: %(value)s"), { what: title, value: target }, true);
  const notice = toast("progress", progress);
  try {
    const answer = await send($("#grid").dataset.bulk, body);
    notice.become(answer.ok && !answer.data.failed ? "success" : "error", answer.data.message ?? answer.data.error, {
      undo: answer.data.undo,
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    notice.become("error", error.message, error.more);
  }
  return true;
}
