"""The small bar of a WebJob's last runs; made by hand, because a page has so many marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext

from webjobs.models.recent import RecentRun
from webjobs.states import RUN_FINAL, RunStatus
from webjobs.views.statuses import kind_of, status_word
from webjobs.views.times import span_words

# The steps of a mark's height; bars.css has a class for each.
HEIGHTS = 10
# What has no duration is neither tiny nor tall.
NO_DURATION = 3


def run_bar(runs: Sequence[RecentRun], history: str) -> SafeString:
    """The marks of `runs`, oldest first; `history` is the address of the WebJob's history."""
    if not runs:
        return SafeString("")
    return _run_bar(tuple(runs), history, get_language())


@lru_cache(maxsize=512)
def _run_bar(runs: tuple[RecentRun, ...], history: str, language: str | None) -> SafeString:
    """Pages ask for the same bar every few seconds; one that has not changed is not made again."""
    longest = max((run.took or 0 for run in runs), default=0)
    words = {each: escape(status_word(each)) for each in {run.status for run in runs}}
    marks = "".join(_mark(run, longest, words, language, history) for run in runs)
    name = escape(bar_name(runs))
    return SafeString(f'<span class="bar" role="group" aria-label="{name}">{marks}</span>')


def _mark(
    run: RecentRun, longest: float, words: Mapping[str, str], language: str | None, history: str
) -> str:
    told = _told(run, words[run.status], language)
    # Without a text, the title is also the name for screen readers.
    return (
        f'<a class="{kind_of(run.status)} h{_height(run, longest)}" tabindex="-1" '
        f'href="{history}runs/{run.number}/" title="{told}"></a>'
    )


def _height(run: RecentRun, longest: float) -> int:
    if run.took is None or longest <= 0:
        return NO_DURATION
    return max(1, min(HEIGHTS, round(HEIGHTS * run.took / longest)))


def _told(run: RecentRun, status: str, language: str | None) -> str:
    """`Failed, 4 s, 2026-11-22 20:11:03 UTC`; the run's number is the time of its request."""
    at = str(run.number)
    when = f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[8:10]}:{at[10:12]}:{at[12:14]} UTC"
    if run.took is None:
        return f"{status}, {when}"
    # What ended by another machine's clock may seem to have ended before its start.
    span = _span(language, max(0, round(run.took, 2 if run.took < 1 else None)))
    return f"{status}, {span}, {when}"


@lru_cache(maxsize=4096)
def _span(_language: str | None, seconds: float) -> str:
    """A page has two thousand of them, of which few differ."""
    return span_words(timedelta(seconds=seconds))


def bar_name(runs: Sequence[RecentRun]) -> str:
    """`Last 20 runs: 18 succeeded, 2 failed`."""
    counts = Counter(run.status if run.status in RUN_FINAL else "" for run in runs)
    words = ", ".join(_counted(status, count) for status, count in counts.most_common())
    head = ngettext("Last %(count)d run: %(words)s", "Last %(count)d runs: %(words)s", len(runs))
    return head % {"count": len(runs), "words": words}


def _counted(status: str, count: int) -> str:
    match status:
        case RunStatus.SUCCESS:
            text = ngettext("%(count)d succeeded", "%(count)d succeeded", count)
        case RunStatus.FAILED:
            text = ngettext("%(count)d failed", "%(count)d failed", count)
        case RunStatus.ABORTED:
            text = ngettext("%(count)d aborted", "%(count)d aborted", count)
        case RunStatus.SKIPPED:
            text = ngettext("%(count)d skipped", "%(count)d skipped", count)
        case RunStatus.MISSED:
            text = ngettext("%(count)d missed", "%(count)d missed", count)
        case _:
            text = ngettext("%(count)d in progress", "%(count)d in progress", count)
    return text % {"count": count}
