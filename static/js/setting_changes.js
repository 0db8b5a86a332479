// What the page Environment variables would change: collected here, sent all at once.

const lower = (text) => text.toLowerCase();

/** A setting as the server showed it in `row`. `value` null: the stored one. */
function fromRow(row) {
  const marks = { slotSetting: "slot" in row.dataset, secret: "secret" in row.dataset };
  const { name, seen } = row.dataset;
  return { was: name, seen, name, value: null, ...marks, old: marks, deleted: false, row };
}

export const fresh = () => ({
  was: "",
  seen: "",
  name: "",
  value: null,
  slotSetting: false,
  secret: false,
  old: null,
  deleted: false,
});

export const isChanged = (item) =>
  !item.was ||
  item.deleted ||
  item.name !== item.was ||
  item.value !== null ||
  item.slotSetting !== item.old.slotSetting ||
  item.secret !== item.old.secret;

/** The form in which the server takes changes. */
export const wish = ({ was, seen, name, value, slotSetting, secret, deleted }) => ({
  was,
  seen,
  name: deleted ? "" : name,
  value: deleted ? null : value,
  slotSetting,
  secret,
});

export class Changes {
  constructor(rows) {
    this.items = rows.map(fromRow);
  }

  get changed() {
    return this.items.filter(isChanged);
  }

  /** By name, as a person reads them. */
  get sorted() {
    return [...this.items].sort((a, b) => lower(a.name).localeCompare(lower(b.name)));
  }

  /** Put `next` in the place of `item`, or add it when `item` is not known. */
  put(item, next) {
    const at = this.items.indexOf(item);
    if (at < 0) this.items.push(next);
    else this.items[at] = next;
  }

  remove(item) {
    if (item.was) this.put(item, { ...item, deleted: true });
    else this.items.splice(this.items.indexOf(item), 1);
  }

  restore(item) {
    this.put(item, { ...item, deleted: false });
  }

  /** The rows as they are now on the server, with our changes on top; nothing of ours is lost. */
  rebase(rows) {
    const ours = this.changed;
    this.items = rows.map(fromRow);
    for (const item of ours) {
      const base = this.items.find((other) => lower(other.was) === lower(item.was || item.name));
      if (base) {
        const { was, seen, old, row } = base;
        this.put(base, { ...item, was, seen, old, row });
      } else if (!item.deleted) {
        this.items.push({ ...item, was: "", seen: "", old: null, row: undefined });
      }
    }
  }

  /** What is changed, as text that `recall` takes. */
  get draft() {
    return JSON.stringify(this.changed.map(({ row, problem, ...item }) => item));
  }

  /** Put back what is changed; others may have changed the settings since, which Apply will tell. */
  recall(draft) {
    for (const item of JSON.parse(draft)) {
      const base = this.items.find((other) => item.was && lower(other.was) === lower(item.was));
      this.put(base, { ...item, problem: "" });
    }
  }

  /** All settings become those of the advanced edit: `{name, value, slotSetting}`, null stays. */
  replaceAll(entries) {
    const wanted = new Map(entries.map((entry) => [lower(entry.name), entry]));
    for (const item of [...this.items]) {
      const entry = wanted.get(lower(item.name));
      if (!entry) {
        this.remove(item);
        continue;
      }
      wanted.delete(lower(item.name));
      const slotSetting = entry.slotSetting ?? item.slotSetting;
      const value = entry.value ?? item.value;
      this.put(item, { ...item, name: entry.name, value, slotSetting, deleted: false });
    }
    for (const { name, value, slotSetting } of wanted.values()) {
      this.put(null, { ...fresh(), name, value, slotSetting: Boolean(slotSetting) });
    }
  }
}
