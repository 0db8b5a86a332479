"""The small bar of a WebJob's last runs: one mark for each, made by hand because of their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webjobs.models.recent import RecentRun
from webjobs.states import RUN_FINAL, RunStatus
from webjobs.views.rows import kind_of, status_word
from webjobs.views.times import span_words

# The steps of a mark's height; bars.css has a class for each.
HEIGHTS = 10
# What has no duration is neither tiny nor tall.
NO_DURATION = 3


def run_bar(runs: Sequence[RecentRun], history: str) -> SafeString:
    """The marks of `runs`, oldest first; `history` is the address of the WebJob's history."""
    if not runs:
        return SafeString("")
    longest = max((run.took or 0 for run in runs), default=0)
    marks = "".join(_mark(run, longest, history) for run in runs)
    name = escape(bar_name(runs))
    return SafeString(f'<span class="bar" role="group" aria-label="{name}">{marks}</span>')


def _mark(run: RecentRun, longest: float, history: str) -> str:
    words = mark_words(run)
    return (
        f'<a class="{kind_of(run.status)} h{_height(run, longest)}" tabindex="-1" '
        f'href="{history}runs/{run.number}/" title="{words}" aria-label="{words}"></a>'
    )


def _height(run: RecentRun, longest: float) -> int:
    if run.took is None or longest <= 0:
        return NO_DURATION
    return max(1, min(HEIGHTS, round(HEIGHTS * run.took / longest)))


def mark_words(run: RecentRun) -> str:
    """`Failed, 4 s, 2026-11-22 20:11:03 UTC`; the run's number is the time of its request."""
    at = str(run.number)
    when = f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[8:10]}:{at[10:12]}:{at[12:14]} UTC"
    if run.took is None:
        return f"{status_word(run.status)}, {when}"
    # What ended by another machine's clock may seem to have ended before its start.
    return f"{status_word(run.status)}, {span_words(timedelta(seconds=max(0, run.took)))}, {when}"


def bar_name(runs: Sequence[RecentRun]) -> str:
    """`Last 20 runs: 18 succeeded, 2 failed`."""
    counts = Counter(run.status for run in runs)
    active = sum(count for status, count in counts.items() if status not in RUN_FINAL)
    parts = [
        (ngettext("%(count)d succeeded", "%(count)d succeeded", counts[RunStatus.SUCCESS]),
         counts[RunStatus.SUCCESS]),
        (ngettext("%(count)d failed", "%(count)d failed", counts[RunStatus.FAILED]),
         counts[RunStatus.FAILED]),
        (ngettext("%(count)d aborted", "%(count)d aborted", counts[RunStatus.ABORTED]),
         counts[RunStatus.ABORTED]),
        (ngettext("%(count)d skipped", "%(count)d skipped", counts[RunStatus.SKIPPED]),
         counts[RunStatus.SKIPPED]),
        (ngettext("%(count)d missed", "%(count)d missed", counts[RunStatus.MISSED]),
         counts[RunStatus.MISSED]),
        (ngettext("%(count)d in progress", "%(count)d in progress", active), active),
    ]  # fmt: skip
    words = ", ".join(text % {"count": count} for text, count in parts if count)
    head = ngettext("Last run: %(words)s", "Last %(count)d runs: %(words)s", len(runs))
    return head % {"count": len(runs), "words": words}
