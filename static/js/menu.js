// The context menu: opened at the pointer or at a row, moved through with the arrow keys.

import { $, $$, focusOn, icon, make } from "./dom.js";

let open = null;

export function closeMenu() {
  if (!open) return;
  const { menu, back, controller } = open;
  open = null;
  controller.abort();
  const inside = menu.contains(document.activeElement);
  menu.remove();
  if (inside) focusOn(back);
}

function place(menu, x, y) {
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
  menu.style.top = `${Math.max(4, y + height > innerHeight ? y - height : y)}px`;
}

function onKey(event) {
  const items = $$("[role=menuitem]", open.menu);
  const at = items.indexOf(document.activeElement);
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
  if (event.key in moves) items[(moves[event.key] + items.length) % items.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/**
 * Show `items` ({label, icon, disabled: why, act}) at a point; focus goes back to `back`.
 * An item that is disabled stays in the menu and says why on hover.
 */
export function openMenu(items, x, y, back) {
  closeMenu();
  const menu = make("div", { class: "popup context-menu", role: "menu" });
  for (const item of items) {
    const button = make("button", { type: "button", role: "menuitem", tabindex: "-1" });
    button.append(icon(item.icon), item.label);
    if (item.disabled != null) {
      button.setAttribute("aria-disabled", "true");
      button.title = item.disabled;
    } else {
      button.addEventListener("click", () => {
        closeMenu();
        item.act();
      });
    }
    menu.append(button);
  }
  $("#main").append(menu);
  const controller = new AbortController();
  open = { menu, back, controller };
  place(menu, x, y);
  menu.addEventListener("keydown", onKey);
  menu.addEventListener("contextmenu", (event) => event.preventDefault());
  const options = { signal: controller.signal, capture: true };
  document.addEventListener("pointerdown", (event) => menu.contains(event.target) || closeMenu(), options);
  addEventListener("resize", closeMenu, options);
  addEventListener("scroll", closeMenu, options);
  menu.firstElementChild.focus();
}
