"""The lines of a page as people see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from webjobs.logs.colours import PLAIN, Style
from webjobs.logs.groups import Mark, mark_of, without_mark
from webjobs.logs.reader import Line, Page
from webjobs.logs.terminal import Segment, segments, style_after
from webjobs.states import Stream


@dataclass(frozen=True, slots=True)
class Shown:
    """A line, or what a page adds to it; `replaces`: instead of what was shown of it before."""

    line: Line
    segments: Sequence[Segment]
    replaces: bool = False
    mark: Mark | None = None


def shown(page: Page) -> Iterator[Shown]:
    """Its lines; colours go on from line to line within a stream, also from before the page."""
    styles: dict[Stream, Style] = {}
    context = page.context
    before = context[-1] if context and page.lines and page.lines[0].is_rest else None
    for line in context[:-1] if before else context:
        styles[line.stream] = style_after(styles.get(line.stream, PLAIN), line.text)
    for line in page.lines:
        style = styles.get(line.stream, PLAIN)
        if before is None or not line.is_rest:
            yield _whole(line, style)
            styles[line.stream] = style_after(style, line.text)
        else:
            yield _rest(before, line, style)
            styles[line.stream] = style_after(style, before.text + line.text)


def _whole(line: Line, style: Style) -> Shown:
    if line.stream.is_system or line.is_rest:
        return Shown(line, segments(line.text, style))
    return Shown(line, segments(without_mark(line.text), style), mark=mark_of(line.text))


def _rest(before: Line, line: Line, style: Style) -> Shown:
    """What is added to a line whose last bytes before the page are `before`."""
    begun = before.text if before.is_rest else without_mark(before.text)
    old, new = segments(begun, style), segments(begun + line.text, style)
    added = _added(old, new)
    if added is not None:
        return Shown(line, added)
    if before.is_rest and "\r" not in begun + line.text:
        # More of it was shown than is known here.
        return Shown(line, segments(line.text, style_after(style, begun)))
    return Shown(line, new, replaces=True)


def _added(old: list[Segment], new: list[Segment]) -> list[Segment] | None:
    """What `new` has behind `old`; None when it does not begin with it."""
    if not old:
        return new
    last = len(old) - 1
    text, style = old[last]
    if len(new) <= last or new[:last] != old[:last] or new[last][1] != style:
        return None
    if not new[last][0].startswith(text):
        return None
    rest = new[last][0][len(text) :]
    return [(rest, style), *new[last + 1 :]] if rest else new[last + 1 :]
