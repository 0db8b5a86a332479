"""How long runs took and what became of them: a chart, and the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from statistics import median

from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webjobs.models import Run
from webjobs.states import RunStatus
from webjobs.views.statuses import kind_of, status_word
from webjobs.views.times import span_words

# Runs of a chart.
MOST_RUNS = 100
# What a chart reads of them.
CHART_FIELDS = ("job_id", "number", "status", "queued_at", "started_at", "ended_at")
# The drawing's own units; the page stretches it.
WIDTH, HEIGHT = 1000, 100
# So many bars fill the width; a few do not become barn doors.
FULL = 20
# A bar that took no time is still to be seen and hit.
LOWEST = 2
GAP = 0.2


@dataclass(frozen=True)
class Bar:
    """One run; places in units of the drawing, with a point as decimal sign."""

    run: Run
    kind: str
    words: str
    took: timedelta | None
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Chart:
    """The runs of a chart, oldest first; `name` tells a screen reader what is to be seen."""

    bars: list[Bar]
    name: str
    top: str  # The longest duration, in words.
    median_y: str  # Empty when no run has a duration.

    @property
    def is_full(self) -> bool:
        return len(self.bars) >= FULL

    @property
    def viewbox(self) -> str:
        return f"0 0 {WIDTH} {HEIGHT}"

    def marks(self, runs_url: str) -> SafeString:
        """Its bars; by hand, because templates take five times as long for a hundred."""
        return SafeString("".join(_mark(bar, escape(runs_url)) for bar in self.bars))


def chart_of(newest_first: Sequence[Run]) -> Chart | None:
    """The chart of some runs; None without any."""
    runs = list(reversed(newest_first))
    if not runs:
        return None
    spans = [run.duration() for run in runs]
    known = [span for span in spans if span is not None]
    longest = max(known, default=timedelta(0))
    step = WIDTH / max(len(runs), FULL)
    # The newest one is at the right edge, where its time stands.
    start = WIDTH - step * len(runs)
    bars = [
        _bar(run, span, longest, start + index * step, step)
        for index, (run, span) in enumerate(zip(runs, spans, strict=True))
    ]
    middle = _height(_median(known), longest) if known else None
    return Chart(
        bars,
        " ".join(summary(runs)),
        span_words(longest) if known else "",
        f"{HEIGHT - middle:.1f}" if middle is not None else "",
    )


def _mark(bar: Bar, runs_url: str) -> str:
    words = escape(bar.words if bar.took is None else f"{bar.words}, {span_words(bar.took)}")
    at = f"{bar.run.queued_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    place = f'x="{bar.x}" width="{bar.width}"'
    return (
        f'<a href="{runs_url}{bar.run.number}/" tabindex="-1">'
        f"<title>{words}, {at}</title>"
        f'<rect class="hit" {place} y="0" height="{HEIGHT}"></rect>'
        f'<rect class="{bar.kind}" {place} y="{bar.y}" height="{bar.height}"></rect></a>'
    )


def _median(spans: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=median(span.total_seconds() for span in spans))


def _height(span: timedelta, longest: timedelta) -> float:
    share = span / longest if longest > timedelta(0) else 0
    return max(LOWEST, HEIGHT * max(0.0, share))


def _bar(run: Run, span: timedelta | None, longest: timedelta, x: float, step: float) -> Bar:
    height = LOWEST if span is None else _height(span, longest)
    return Bar(
        run,
        kind_of(run.status),
        status_word(run.status),
        span,
        f"{x + step * GAP / 2:.1f}",
        f"{HEIGHT - height:.1f}",
        f"{step * (1 - GAP):.1f}",
        f"{height:.1f}",
    )


def summary(runs: Sequence[Run]) -> list[str]:
    """How many of the ended `runs` succeeded, and how long they took; sentences."""
    ended = [run for run in runs if run.is_final and run.started_at is not None]
    if not ended:
        return [_("None of these runs has been executed and has ended.")]
    good = sum(run.status == RunStatus.SUCCESS for run in ended)
    text = ngettext(
        "%(good)d of %(count)d ended run succeeded (%(percent)d %%).",
        "%(good)d of the last %(count)d ended runs succeeded (%(percent)d %%).",
        len(ended),
    )
    # Rounded down: one failure among a thousand is not 100 %.
    sentences = [text % {"good": good, "count": len(ended), "percent": 100 * good // len(ended)}]
    spans = sorted(span for run in ended if (span := run.duration()) is not None)
    if len(spans) > 1:
        words = {"median": span_words(_median(spans)), "longest": span_words(spans[-1])}
        sentences.append(_("Median duration %(median)s, longest %(longest)s.") % words)
    return sentences
