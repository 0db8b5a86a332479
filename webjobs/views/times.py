"""Times in the words of the history pages and of the blade. `static/js/times.js` does the same."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
# Beyond this, words say less than the date itself.
LONGEST_AGO = 6.5 * DAY


def _round(value: float) -> int:
    """Half up, as JavaScript's Math.round does."""
    return int(value + 0.5)


def span_words(span: timedelta) -> str:
    """How long something took: `2 minutes`, `4 s`, `380 ms`."""
    length = span / timedelta(milliseconds=1)
    if length > WEEK:
        count = _round(length / WEEK)
        return ngettext("%(count)d week", "%(count)d weeks", count) % {"count": count}
    if length > DAY:
        count = _round(length / DAY)
        return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
    if length > HOUR:
        count = _round(length / HOUR)
        return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    if length > MINUTE:
        count = _round(length / MINUTE)
        return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
    if length > 10 * SECOND:
        count = _round(length / SECOND)
        return ngettext("%(count)d second", "%(count)d seconds", count) % {"count": count}
    if length > SECOND:
        return _("%(count)d s") % {"count": _round(length / SECOND)}
    if length > 0:
        return _("%(count)d ms") % {"count": _round(length)}
    return _("less than 1ms")


def long_words(moment: datetime, now: datetime) -> str:
    """`3 minutes ago`, `in 2 days`; the date itself beyond six and a half days."""
    distance = (now - moment) / timedelta(milliseconds=1)
    length = abs(distance)
    if length > LONGEST_AGO:
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    if length <= 10 * SECOND:
        return _("a moment ago") if distance >= 0 else _("in a moment")
    span = span_words(timedelta(milliseconds=length))
    text = _("%(span)s ago") if distance > 0 else _("in %(span)s")
    return text % {"span": span}


def short_words(moment: datetime, now: datetime) -> str:
    """`Just now`, `5 min ago`, `3 d ago`, `in 2 h`: the form of the blade's columns."""
    distance = (now - moment) / timedelta(milliseconds=1)
    length = abs(distance)
    if length < MINUTE:
        if distance >= 0:
            return _("Just now")
        return _("in %(count)d s") % {"count": max(1, _round(length / SECOND))}
    if length < HOUR:
        text, count = (_("%(count)d min ago"), _("in %(count)d min")), int(length / MINUTE)
    elif length < DAY:
        text, count = (_("%(count)d h ago"), _("in %(count)d h")), int(length / HOUR)
    else:
        text, count = (_("%(count)d d ago"), _("in %(count)d d")), int(length / DAY)
    return text[0 if distance >= 0 else 1] % {"count": count}


def due_words(moment: datetime, now: datetime) -> str:
    """As `short_words` for what is to come; `due now` once its time is there."""
    return short_words(moment, now) if moment > now else _("due now")
