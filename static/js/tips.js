// What a title says, also for keyboards and fingers: on hover, on a tap, and on the focused row.
import { $, make } from "./dom.js";

const WAIT_MS = 450;
// Time to move the pointer onto the tip, where it stays to be read, or copied from.
const LEAVE_MS = 250;
let tip, timer, leaving, shown;

function hide() {
  clearTimeout(timer);
  clearTimeout(leaving);
  shown?.removeAttribute("aria-describedby");
  shown = undefined;
  if (tip) tip.hidden = true;
}

// The browser's own bubble would come as well.
function textOf(target) {
  if (target.title) {
    target.dataset.tip = target.title;
    target.removeAttribute("title");
  }
  return target.dataset.tip;
}

function show(target, describes = target) {
  hide();
  const text = textOf(target);
  if (!text || !target.isConnected) return;
  if (!tip?.isConnected) {
    tip = make("div", { id: "tip", role: "tooltip", class: "tip" });
    document.body.append(tip);
  }
  tip.textContent = text;
  tip.hidden = false;
  shown = describes;
  describes.setAttribute("aria-describedby", "tip");
  const place = target.getBoundingClientRect();
  const most = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const below = place.bottom + 6;
  const fits = below + tip.offsetHeight < document.documentElement.clientHeight;
  tip.style.left = `${Math.max(8, Math.min(place.left, most))}px`;
  tip.style.top = `${fits ? below : place.top - tip.offsetHeight - 6}px`;
}

function soon(target, describes) {
  clearTimeout(timer);
  timer = setTimeout(() => show(target, describes), WAIT_MS);
}

export function tips() {
  const of = (event) => event.target.closest?.("[data-tip], .bar a");
  const isTip = (event) => event.target.closest?.("#tip");
  document.addEventListener("pointerover", (event) => {
    if (isTip(event)) clearTimeout(leaving);
    const target = of(event);
    if (!target) return;
    textOf(target);
    if (event.pointerType === "mouse") soon(target);
  });
  document.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "mouse" || !(of(event) || isTip(event))) return;
    clearTimeout(timer);
    clearTimeout(leaving);
    leaving = setTimeout(hide, LEAVE_MS);
  });
  document.addEventListener("click", (event) => {
    const target = of(event);
    if (target) show(target);
    else hide();
  });
  document.addEventListener("focusin", (event) => {
    hide();
    if (!event.target.matches(":focus-visible")) return;
    const target = of(event) ?? (event.target.matches("tr") && $("[data-tip]", event.target));
    if (target) soon(target, event.target);
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", hide, true);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}
