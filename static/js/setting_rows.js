// The rows of the page Environment variables, with what is changed but not applied yet.

import { $, $$, icon, make } from "./dom.js";
import { isChanged } from "./setting_changes.js";

const hidden = (text) => make("span", { class: "visually-hidden" }, text);

function mark(item) {
  if (!isChanged(item)) return "";
  if (item.deleted) return make("span", { class: "row-mark" }, gettext("(deleted)"));
  return make("span", { class: "row-mark" }, item.was ? gettext("(modified)") : gettext("(new)"));
}

function nameCell(item, { mayChange, base }) {
  const path = item.was ? `${base}${encodeURIComponent(item.was)}/edit` : `${base}add`;
  const link = make("a", { class: "edit-name", href: path, "data-edit": true }, item.name);
  const cell = make("span", { class: "cell" }, mayChange && !item.deleted ? link : item.name, " ", mark(item));
  if (item.problem) cell.append(make("p", { class: "field-error" }, item.problem));
  return cell;
}

function valueCell(item, { mayReveal, whyNot, valueOf, isShown }) {
  const cell = make("span", { class: "cell" });
  if (item.secret && item.value === null) {
    const title = gettext("Marked secret: it is never shown again and masked in what jobs print.");
    cell.append(make("span", { class: "soft", title }, gettext("Secret")));
    return cell;
  }
  const shown = isShown(item);
  const text = make("span", { class: "shown-value" });
  text.textContent = shown ? valueOf(item) : gettext("Hidden value. Click to show value");
  const button = make("button", {
    type: "button",
    class: "link-button setting-value",
    "aria-pressed": String(shown),
    disabled: !mayReveal,
    title: mayReveal ? null : whyNot,
  });
  button.append(icon(shown ? "eye-off" : "eye"), " ", text, hidden(` ${item.name}`));
  cell.append(button);
  return cell;
}

function slotCell(item) {
  if (!item.slotSetting) return make("span", { class: "cell" }, make("span", { class: "soft" }, "–"));
  return make("span", { class: "cell" }, icon("check"), hidden(gettext("Deployment Slot Setting Enabled")));
}

function command(name, title, item, attributes) {
  const tag = attributes.href ? "a" : "button";
  const more = tag === "button" ? { type: "button" } : {};
  const button = make(tag, { class: "icon-button", title, ...more, ...attributes }, icon(name));
  button.append(hidden(`${title} ${item.name}`));
  return button;
}

function commandsCell(item, { mayChange, base }) {
  if (!mayChange) return [];
  if (item.deleted) return [command("refresh", gettext("Restore"), item, { "data-restore": true })];
  const path = item.was ? `${base}${encodeURIComponent(item.was)}/` : base;
  return [
    command("edit", gettext("Edit"), item, { href: `${path}${item.was ? "edit" : "add"}`, "data-edit": true }),
    command("delete", gettext("Delete"), item, { href: `${path}${item.was ? "delete" : "add"}`, "data-delete": true }),
  ];
}

function drawRow(item, labels, page) {
  const state = `${isChanged(item) ? "dirty" : ""} ${item.deleted ? "gone" : ""}`.trim();
  const row = make("tr", {
    class: state || null,
    "data-text": item.name.toLowerCase(),
    "data-name": item.name,
  });
  const cells = [nameCell(item, page), valueCell(item, page), slotCell(item)];
  cells.forEach((cell, at) => {
    row.append(make("td", { class: at === 0 ? "name" : null, "data-label": labels[at] }, cell));
  });
  row.append(make("td", { class: "actions-cell nowrap" }, ...commandsCell(item, page)));
  return row;
}

/** Which element of which row has the focus, to find it after drawing. */
function focused(body) {
  const active = document.activeElement;
  if (!body.contains(active)) return null;
  const name = active.closest("tr").dataset.name;
  const place = active.closest("tr").sectionRowIndex;
  const kind = [".edit-name", ".setting-value", "[data-edit].icon-button", "[data-delete], [data-restore]"];
  return { name, place, kind: kind.find((selector) => active.matches(selector)) };
}

/** Draw `items` in the table of `list`; resolves clicks back to items with the returned map. */
export function drawRows(list, items, page) {
  const body = $("#settings tbody", list);
  const labels = $$("#settings thead th", list).map((head) => head.textContent);
  const had = focused(body);
  const byRow = new Map(items.map((item) => [drawRow(item, labels, page), item]));
  body.replaceChildren(...byRow.keys());
  $("#settings-table", list).hidden = !items.length;
  $("#settings-empty", list).hidden = items.length > 0;
  if (had) {
    const rows = $$("tr", body);
    // One that was never applied is gone when it is deleted: what stands in its place is next.
    const row = rows.find((each) => each.dataset.name === had.name) ?? rows[Math.min(had.place, rows.length - 1)];
    ((row && had.kind && $(had.kind, row)) ?? (row && $("a, button", row)))?.focus();
  }
  return byRow;
}
