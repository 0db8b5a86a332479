"""Lines of output for the pages: as markup, and as JSON for their script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString

from webjobs.logs import Page
from webjobs.logs.colours import PLAIN, classes
from webjobs.logs.groups import Mark
from webjobs.logs.shown import Shown, shown
from webjobs.logs.terminal import Segment


def lines_json(page: Page) -> list[list[Any]]:
    """For each line: number, stream, milliseconds, text or pairs of text and classes, offset.

    And, where there is one, a mark: `ends` and `begins` are keys of groups, `folded` is how one
    begins; `replaces` says that it stands for what was shown of the line before.
    """
    return [_json(each) for each in shown(page)]


def lines_html(page: Page | None) -> SafeString:
    """The same as elements; made by hand because a template takes four times as long for them."""
    return SafeString("".join(_html(each) for each in shown(page)) if page else "")


def _json(each: Shown) -> list[Any]:
    line = each.line
    text = _text(each.segments)
    when = int(line.at.timestamp() * 1000)
    found: list[Any] = [line.number, int(line.stream), when, text, line.offset]
    more: dict[str, Any] = {"replaces": 1} if each.replaces else {}
    if each.mark:
        more |= {"ends": list(each.mark.ends), "begins": each.mark.begins}
        more |= {"folded": 1} if each.mark.is_folded else {}
    return [*found, more] if more else found


def _text(segments: Sequence[Segment]) -> str | list[list[str]]:
    if all(style == PLAIN for _, style in segments):
        return "".join(text for text, _ in segments)
    return [[text, classes(style)] for text, style in segments]


def _html(each: Shown) -> str:
    line = each.line
    inner = "".join(
        escape(text) if style == PLAIN else f'<span class="{classes(style)}">{escape(text)}</span>'
        for text, style in each.segments
    )
    more = " data-replaces" if each.replaces else ""
    if each.mark:
        more += _mark_html(each.mark)
    return (
        f'<div class="line s{line.stream:d}" data-n="{line.number}" data-o="{line.offset}" '
        f'data-at="{line.at.timestamp() * 1000:.0f}"{more}>{inner}</div>'
    )


def _mark_html(mark: Mark) -> str:
    # Keys are made of letters, digits and a few signs.
    parts = f' data-ends="{" ".join(mark.ends)}"' if mark.ends else ""
    parts += f' data-begins="{mark.begins}"' if mark.begins else ""
    return parts + (" data-folded" if mark.is_folded else "")
