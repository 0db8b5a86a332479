// Small helpers for building and finding elements.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** An element with attributes and children; text is always text, never markup. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A picture of the sprite. */
export function icon(name, extra = "") {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("class", `icon ${extra}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(ns, "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** Markup of our own server as nodes; scripts in it would not run. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** Whether nothing has the focus: what had it was removed, hidden or disabled. */
export function isFocusLost() {
  const active = document.activeElement;
  return !active || active === document.body || active.disabled === true || active.closest("[hidden]") !== null;
}

/** What finds `element` again below `root` when the server's answer has replaced it: by its id, key or address. */
export function finder(element = document.activeElement, root = document) {
  const names = ["id", "data-key", "href"];
  const own = names.find((name) => element.getAttribute(name));
  const same = own && `[${own}="${CSS.escape(element.getAttribute(own))}"]`;
  return () => (element.isConnected || !same ? element : $(same, root));
}

/** Give the focus to `back`, which is an element, or a function that finds it then. */
export function focusOn(back) {
  (typeof back === "function" ? back() : back)?.focus();
}

/** As people type it in haste: without capitals and accents, with the keyboard's apostrophe. */
export const folded = (text) => text.trim().toLowerCase().replaceAll("’", "'").normalize("NFD").replace(/\p{M}/gu, "");
