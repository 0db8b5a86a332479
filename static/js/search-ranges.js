// Places in text that lies in several elements.

/** Places in a line's text as ranges, whatever elements the text is in. */
export function* ranges(line, spans) {
  const texts = [];
  let length = 0;
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    texts.push([walker.currentNode, length]);
    length += walker.currentNode.length;
  }
  const place = (at) => {
    const [node, start] = texts.findLast(([, begin]) => begin <= at) ?? [];
    return node && at - start <= node.length ? [node, at - start] : null;
  };
  for (const [start, stop] of spans) {
    const from = place(start);
    const to = place(stop);
    if (!from || !to) continue;
    const range = new Range();
    range.setStart(...from);
    range.setEnd(...to);
    yield range;
  }
}
