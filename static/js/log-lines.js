// Lines of output as elements. Text goes in as text only.

/** One line of the server's answer: number, stream, milliseconds, text, offset, more. */
export function makeLine([number, stream, at, text, offset, more]) {
  const line = document.createElement("div");
  line.className = `line s${stream}`;
  line.dataset.n = number;
  line.dataset.o = offset;
  line.dataset.at = at;
  if (more?.replaces) line.dataset.replaces = "";
  if (more?.ends?.length) line.dataset.ends = more.ends.join(" ");
  if (more?.begins) line.dataset.begins = more.begins;
  if (more?.folded) line.dataset.folded = "";
  line.append(...content(text));
  return line;
}

/** Text, or pairs of text and the classes of its colours, as nodes. */
function content(text) {
  if (typeof text === "string") return text ? [text] : [];
  return text.map(([part, classes]) => {
    if (!classes) return part;
    const span = document.createElement("span");
    span.className = classes;
    span.textContent = part;
    return span;
  });
}

/** More of the line that is last in the page; a progress line begins anew with it. */
export function addTo(line, [, , , text, , more]) {
  if (more?.replaces) {
    for (const node of [...line.childNodes]) if (!isButton(node)) node.remove();
    line.dataset.replaces = "";
  }
  line.append(...content(text));
}

/** The beginning of the line that is first in the page, which was shown from its middle on. */
export function addBefore(line, made) {
  line.dataset.o = made.dataset.o;
  // What is there stands for all of the line already.
  if ("replaces" in line.dataset) return;
  if ("replaces" in made.dataset) line.dataset.replaces = "";
  line.prepend(...made.childNodes);
}

const isButton = (node) => node.nodeName === "BUTTON";

/** The number of a line in the log. */
export const numberOf = (line) => Number(line.dataset.n);
