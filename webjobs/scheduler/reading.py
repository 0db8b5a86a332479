"""What beat reads from the database: few columns, no model objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from webjobs.models import App, AppSetting, EngineSettings, Schedule
from webjobs.models.fields import SecretUnreadable
from webjobs.models.setting import lenient_engine_settings
from webjobs.models.webjob import ScheduleQuerySet
from webjobs.scheduler.plan import Row

# Rows of one look: a few milliseconds, and fewer than SQLite takes parameters.
MAX_PKS = 500


class Read(NamedTuple):
    """A schedule and what else decides about it."""

    row: Row
    slot_pk: int
    is_deleted: bool


def everything() -> list[Read]:
    """Every schedule of a WebJob that exists."""
    return _read(Schedule.objects.live())


def page(after: int) -> list[Read]:
    """The MAX_PKS schedules that follow `after` in the order of their keys; fewer at the end."""
    return _read(Schedule.objects.live().filter(pk__gt=after).order_by("pk")[:MAX_PKS])


def changed_since(moment: datetime, known: Iterable[datetime]) -> list[Read]:
    """Every schedule that was changed at `moment` or later, but at none of `known`."""
    return _read(Schedule.objects.filter(changed_at__gte=moment).exclude(changed_at__in=known))


def these(pks: Iterable[int]) -> list[Read]:
    """Those of `pks`, at most MAX_PKS, that exist."""
    return _read(Schedule.objects.filter(pk__in=list(pks)))


def _read(schedules: ScheduleQuerySet) -> list[Read]:
    columns = schedules.values_list(*Row._fields, "job__slot_id", "job__deleted_at")
    return [
        Read(Row._make(values), slot_pk, deleted_at is not None)
        for *values, slot_pk, deleted_at in columns
    ]


def engine_of(slot_pk: int) -> EngineSettings | None:
    """The settings of a slot that steer schedules; None when they cannot be decrypted."""
    steering = Q(name__istartswith="WEBJOB") | Q(name__iexact="WEBSITE_TIME_ZONE")
    try:
        settings = list(AppSetting.objects.filter(steering, slot=slot_pk))
    except SecretUnreadable:
        return None
    engine = lenient_engine_settings({setting.name: setting.value for setting in settings})
    is_idle = App.objects.filter(slots=slot_pk, is_idle=True).exists()
    return replace(engine, is_idle=is_idle)
