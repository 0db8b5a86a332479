"""What the pages of one WebJob draw by hand."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from webjobs.runner.line_diff import Line

register = template.Library()

_SIGNS = {" ": ("", " "), "-": (" gone", "\N{MINUS SIGN}"), "+": (" new", "+")}
# What a minified file has in one line.
_MOST_COLUMNS = 500


def _diff_line(line: Line) -> str:
    extra, sign = _SIGNS[line.sign]
    return (
        f'<span class="line{extra}"><span class="no">{line.old or ""}</span>'
        f'<span class="no">{line.new or ""}</span>{sign} {escape(line.text[:_MOST_COLUMNS])}</span>'
    )


@register.simple_tag
def diff_lines(hunks: Sequence[Sequence[Line]]) -> SafeString:
    """The lines of a changed file with their numbers in the old and in the new one."""
    parts = "".join(
        f'<span class="hunk">{"".join(_diff_line(line) for line in hunk)}</span>' for hunk in hunks
    )
    label = escape(_("Changed lines"))
    return SafeString(
        f'<div class="diff" role="region" tabindex="0" aria-label="{label}">'
        f'<div class="lines">{parts}</div></div>'
    )
