// The schedule builder: choices that write an NCRONTAB expression, and read a simple one.

import { $, $$ } from "./dom.js";
import { onContent } from "./panel.js";

const WORKDAYS = "1-5";
const two = (number) => String(number).padStart(2, "0");

/** The expression for what is chosen; empty while something is missing. */
export function written({ kind, minutes, hours, minute, day, time, days }) {
  const [hour, at] = (time || ":").split(":");
  if (kind === "minutes") return Number(minutes) === 1 ? "0 * * * * *" : `0 */${minutes} * * * *`;
  if (kind === "hours") {
    if (minute === "") return "";
    return Number(hours) === 1 ? `0 ${Number(minute)} * * * *` : `0 ${Number(minute)} */${hours} * * *`;
  }
  if (hour === "" || (kind === "weekly" && !days.length) || (kind === "monthly" && day === "")) return "";
  const clock = `0 ${Number(at)} ${Number(hour)}`;
  if (kind === "daily") return `${clock} * * *`;
  if (kind === "workdays") return `${clock} * * ${WORKDAYS}`;
  if (kind === "weekly") return `${clock} * * ${days.join(",")}`;
  return kind === "monthly" ? `${clock} ${Number(day)} * *` : "";
}

/** The choices that `text` stands for; null for one that is beyond them. */
export function read(text) {
  const fields = text.trim().split(/ +/);
  if (fields.length !== 6 || fields[0] !== "0" || fields[4] !== "*") return null;
  const [, minute, hour, day, , weekday] = fields;
  const isNumber = (field) => /^\d{1,2}$/.test(field);
  const step = (field) => (field === "*" ? "1" : (/^\*\/(\d+)$/.exec(field)?.[1] ?? null));
  const anyDay = day === "*" && weekday === "*";
  if (anyDay && hour === "*" && step(minute)) return { kind: "minutes", minutes: step(minute) };
  if (!isNumber(minute)) return null;
  if (anyDay && step(hour)) return { kind: "hours", hours: step(hour), minute };
  if (!isNumber(hour)) return null;
  const time = `${two(Number(hour))}:${two(Number(minute))}`;
  if (anyDay) return { kind: "daily", time };
  if (weekday === "*" && isNumber(day)) return { kind: "monthly", time, day: String(Number(day)) };
  if (day !== "*") return null;
  if (weekday === WORKDAYS) return { kind: "workdays", time };
  return /^[0-6](,[0-6])*$/.test(weekday) ? { kind: "weekly", time, days: weekday.split(",") } : null;
}

function connect(builder) {
  const cron = builder.closest("form").elements.cron;
  const part = (name) => $(`[data-part="${name}"]`, builder);
  const names = ["kind", "minutes", "hours", "minute", "day", "time"];
  const show = () => {
    const { value } = part("kind");
    for (const each of $$("[data-for]", builder)) each.hidden = !each.dataset.for.split(" ").includes(value);
  };
  const choices = () => {
    const found = Object.fromEntries(names.map((name) => [name, part(name).value]));
    return { ...found, days: $$("[data-day]:checked", builder).map((box) => box.dataset.day) };
  };
  builder.addEventListener("input", (event) => {
    event.stopPropagation();
    show();
    const text = written(choices());
    if (!text || !part("kind").value) return;
    cron.value = text;
    cron.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const follow = (event) => {
    // Its own words would move the choices under the fingers.
    if (event && written(choices()) === cron.value) return;
    const found = read(cron.value);
    const known = (name) => part(name).tagName !== "SELECT" || [...part(name).options].some((o) => o.value === found[name]);
    const fits = found && Object.keys(found).every((name) => name === "days" || known(name));
    part("kind").value = fits ? found.kind : "";
    if (fits) {
      for (const name of names) if (name in found) part(name).value = found[name];
      if (found.days) for (const box of $$("[data-day]", builder)) box.checked = found.days.includes(box.dataset.day);
    }
    show();
  };
  cron.addEventListener("input", follow);
  follow();
}

onContent((root) => {
  for (const builder of $$("[data-builder]", root)) connect(builder);
});
