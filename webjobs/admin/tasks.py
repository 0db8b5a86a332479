"""The portal's own periodic tasks: the pages of django-celery-beat, with every change recorded."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from webjobs.admin.base import Recorded

_SCHEDULES = {
    ClockedSchedule: beat.ClockedScheduleAdmin,
    CrontabSchedule: beat.CrontabScheduleAdmin,
    IntervalSchedule: beat.IntervalScheduleAdmin,
    SolarSchedule: beat.SolarScheduleAdmin,
}

admin.site.unregister([PeriodicTask, *_SCHEDULES])


@admin.register(PeriodicTask)
class PortalTaskAdmin(Recorded[Any], beat.PeriodicTaskAdmin):  # type: ignore[misc]
    """Without the inline script of its page, which the content security policy would stop."""

    change_form_template = "admin/change_form.html"
    date_hierarchy = None

    def _record_each(self, request: HttpRequest, queryset: QuerySet[Any], verb: str) -> None:
        for task in queryset:
            self.audit(request, task, verb)

    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._record_each(request, queryset, "enable")
        super().enable_tasks(request, queryset)

    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._record_each(request, queryset, "disable")
        super().disable_tasks(request, queryset)

    def toggle_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._record_each(request, queryset, "toggle")
        super().toggle_tasks(request, queryset)

    def run_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._record_each(request, queryset, "run")
        super().run_tasks(request, queryset)


for _model, _admin in _SCHEDULES.items():
    admin.site.register(_model, type(_admin.__name__, (Recorded, _admin), {}))
