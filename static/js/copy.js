// Copy buttons and secrets that are shown on request.

import { $, icon, make } from "./dom.js";
import { onContent } from "./panel.js";
import { Failure, send } from "./net.js";
import { toast } from "./toasts.js";

/** Put text on the clipboard. */
export async function toClipboard(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Plain HTTP from another machine has no clipboard API.
  const area = make("textarea", { class: "visually-hidden" });
  area.value = text;
  ($("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** What the server tells of a secret; the request is recorded there. */
export async function reveal(url, fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const answer = await send(url, body);
  if (!answer.ok) throw new Failure(answer.data.error, answer.status);
  return answer.data;
}

async function password(button) {
  const { password } = await reveal(button.dataset.reveal, { action: "reveal" });
  return password;
}

const contentOf = (place) => ("value" in place ? place.value : place.textContent);

async function onClick(event) {
  const copy = event.target.closest("[data-copy]");
  const show = event.target.closest("[data-show]");
  try {
    if (copy) {
      const text = copy.dataset.reveal ? await password(copy) : contentOf($(copy.dataset.copy));
      await toClipboard(text.trim());
      toast("success", gettext("Copied!"));
    } else if (show) {
      const place = $(show.dataset.show);
      const hidden = show.getAttribute("aria-pressed") !== "true";
      place.dataset.mask ??= place.textContent;
      place.textContent = hidden ? await password(show) : place.dataset.mask;
      show.setAttribute("aria-pressed", String(hidden));
      show.querySelector("svg").replaceWith(icon(hidden ? "eye-off" : "eye"));
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast("error", error.message);
  }
}

document.addEventListener("click", onClick);
// Forms behind these buttons are for browsers without JavaScript.
onContent((root) => {
  for (const form of root.querySelectorAll("form[data-reveal-form]")) {
    form.addEventListener("submit", (event) => event.preventDefault());
  }
});
