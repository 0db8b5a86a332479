"""Icons, times and addresses for the templates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from webjobs import retelling
from webjobs.models import Run, Slot
from webjobs.views import times
from webjobs.views.addresses import slot_url as address
from webjobs.views.bars import run_bar
from webjobs.views.charts import Chart
from webjobs.views.help import status_anchor, status_help
from webjobs.views.lines import lines_html
from webjobs.views.rows import Row
from webjobs.views.statuses import status_word

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, extra: str = "") -> SafeString:
    """A picture of the sprite; always beside words, so hidden from screen readers."""
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        f"icon {extra}".strip(),
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def big_icon(name: str, extra: str = "") -> SafeString:
    """As `icon`, without the size of text icons."""
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        extra,
        static("img/icons.svg"),
        name,
    )


def _time(moment: datetime, words: str, form: str, also: str = "") -> SafeString:
    moment = moment.astimezone(UTC)
    exact = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    title = f"{escape(also)}\n{exact}" if also not in {"", exact} else exact
    machine = f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"
    # By hand: a page has hundreds of them, and format_html takes three times as long.
    return SafeString(
        f'<time datetime="{machine}" data-words="{form}" title="{title}">{escape(words)}</time>'
    )


@register.simple_tag
def long_time(moment: datetime) -> SafeString:
    """`3 minutes ago`, refreshed by the page; the exact time on hover."""
    return _time(moment, times.long_words(moment, timezone.now()), "long")


@register.simple_tag
def short_time(moment: datetime, also: str = "") -> SafeString:
    """`3 min ago`, the form of the blade; `also` is one more line on hover."""
    return _time(moment, times.short_words(moment, timezone.now()), "short", also)


@register.simple_tag
def due_time(moment: datetime, also: str = "") -> SafeString:
    """`in 3 min`, and `due now` once it has come; `also` is one more line on hover."""
    return _time(moment, times.due_words(moment, timezone.now()), "due", also)


@register.simple_tag
def timing(run: Run, running_time: bool = False) -> SafeString:
    """When a run began and how long it took: `3 minutes ago (12 seconds running time)`."""
    begun = run.started_at or run.scheduled_for or run.queued_at
    if (took := run.duration()) is None:
        return long_time(begun)
    words: str = escape(times.span_words(took))
    if run.ended_at is None:
        words = f'<span data-since="{begun.isoformat()}">{words}</span>'
    after = f" {escape(_('running time'))}" if running_time else ""
    return SafeString(f"{long_time(begun)} <small>({words}{after})</small>")


@register.simple_tag
def last_runs(row: Row) -> SafeString:
    """The small bar of a row's last runs; empty when there are none."""
    return run_bar(row.recent, row.history)


@register.simple_tag
def row_data(row: Row) -> SafeString:
    """What the page's script must know of a row, as attributes."""
    name, type = escape(row.job.name), row.job.type
    flags = {"can-start": row.can_start, "can-stop": row.can_stop, "active": row.is_active}
    marks = "".join(f" data-{flag}" for flag, is_set in flags.items() if is_set)
    return SafeString(
        f'data-key="{type}/{name}" data-name="{name}" data-type="{type}" '
        f'data-base="{escape(row.base)}" data-history="{escape(row.history)}"{marks}'
    )


@register.simple_tag
def chart_marks(chart: Chart, runs_url: str) -> SafeString:
    """The bars of a chart, each a link to its run."""
    return chart.marks(runs_url)


@register.simple_tag
def chart_rows(chart: Chart, runs_url: str) -> SafeString:
    """The same as rows of a table, newest first."""
    address = escape(runs_url)
    return SafeString(
        "".join(
            f'<tr><td><a href="{address}{bar.run.number}/">{exact_time(bar.run.queued_at)}</a></td>'
            f"<td>{escape(bar.words)}</td><td>{escape(span(bar.took))}</td></tr>"
            for bar in reversed(chart.bars)
        )
    )


@register.simple_tag
def exact_time(moment: datetime) -> SafeString:
    """The time itself in UTC; the page puts the viewer's own time on hover."""
    return _time(moment, moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"), "exact")


register.simple_tag(lines_html, name="log_lines")


@register.simple_tag
def status_tip(status: str, why: str = "") -> SafeString:
    """Attributes that explain a status on hover, tap and focus: the reason, then what it means."""
    words = "\n".join(filter(None, [why, status_help(status)]))
    return SafeString(f'data-tip title="{escape(words)}"' if words else "")


@register.simple_tag
def help_link(status: str, words: str) -> SafeString:
    """The words of a status as a link to what it means."""
    target = f"{reverse('help')}#{status_anchor(status)}"
    tip = status_tip(status)
    return SafeString(f'<a class="help-link" href="{target}" {tip}>{escape(words)}</a>')


@register.simple_tag
def reason(text: str, most: int | None = None) -> SafeString:
    """A stored reason in the viewer's language, of `most` characters; marked where it is not."""
    told = retelling.retold(text)
    words = escape(Truncator(told or text).chars(most) if most else told or text)
    return SafeString(words if told else f'<span lang="en">{words}</span>')


register.filter("retold", retelling.shown)


@register.filter
def span(value: timedelta | None) -> str:
    """How long something took, in words."""
    return "" if value is None else times.span_words(value)


register.filter("status_word", status_word)


@register.simple_tag
def slot_url(slot: Slot, page: str, **parts: str | int) -> str:
    """The address of a page of `slot`."""
    return address(slot, page, **parts)
