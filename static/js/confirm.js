// The question docked under the command bar, over what it is about.

import { $, focusOn, make, parse } from "./dom.js";

/**
 * Ask; resolves to the form's data when the answer was yes, else to null.
 * `target` names what it is about; `withArguments` shows the field for a run's arguments;
 * `details` are lines below; `within` is where it docks, if not under the command bar.
 */
export function confirm({ title, question, target = "", details = [], withArguments = false, back, within }) {
  $(".confirm")?.dispatchEvent(new CustomEvent("answer"));
  const docked = within ?? $("#docked");
  docked.append(parse($("#confirm-template").innerHTML));
  const form = $(".confirm", docked);
  const veil = $(".veil", docked);
  $("h2", form).textContent = title;
  $("#confirm-text").textContent = question;
  $(".target", form).textContent = target;
  const more = $(".confirm-details", form);
  if (more) {
    more.hidden = !details.length;
    more.append(...details.map((line) => make("li", {}, line)));
  }
  const extra = $(".arguments", form);
  if (extra) extra.hidden = !withArguments;
  $("[data-yes]", form).focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
  return new Promise((resolve) => {
    const answer = (value) => {
      form.remove();
      veil.remove();
      focusOn(back);
      resolve(value);
    };
    form.addEventListener("answer", () => answer(null));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      answer(new FormData(form));
    });
    $("[data-no]", form).addEventListener("click", () => answer(null));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        answer(null);
      }
      if (event.key === "Tab") trap(event, form);
    });
  });
}

function trap(event, form) {
  const stops = [...form.querySelectorAll("button, input")].filter((stop) => stop.offsetParent);
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? stops.at(-1) : stops[0]).focus();
}
