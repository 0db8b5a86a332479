// The commands of the blade, and why one of them cannot act on a row.

import { $ } from "./dom.js";

/** The button of a command. */
export const command = (name) => $(`#commands [data-command="${name}"]`);

/** Why `name` cannot act on `target`, in words; null when it can. */
export function reason(name, target) {
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

/** As `reason`, where several are selected and not every command is for each of them. */
export function reasonAmongSeveral(name, target) {
  const continuous = target.dataset.type === "continuous";
  if (name === "run" && continuous) return gettext("It is continuous.");
  if ((name === "start" || name === "stop") && !continuous) return gettext("It is triggered.");
  return reason(name, target);
}

/** Why `name` can act on none of several; null when it can on some. */
export function reasonForAll(name, targets) {
  if (name === "properties") return gettext("Select one WebJob only.");
  const reasons = targets.map((target) => reasonAmongSeveral(name, target));
  return reasons.includes(null) ? null : reasons[0];
}
