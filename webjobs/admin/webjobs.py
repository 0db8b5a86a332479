"""WebJobs and their schedules: facts and wishes to see, actions that go through dispatch."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from webjobs import dispatch
from webjobs.access import actor_of
from webjobs.admin.base import Facts, Joined, TellsRefusals
from webjobs.dispatch import Actor
from webjobs.models import Schedule, WebJob
from webjobs.views.addresses import slot_url


@admin.register(WebJob)
class WebJobAdmin(TellsRefusals[WebJob], Facts[WebJob], Joined[WebJob]):
    """Deleting here is the portal's delete: the processes end first, then the history goes."""

    list_display = [
        "name", "slot", "type", "script", "is_stopped", "is_singleton", "updated_at", "deleted_at",
    ]  # fmt: skip
    list_filter = ["type", "is_stopped", ("deleted_at", admin.EmptyFieldListFilter), "updated_at"]
    joined = ["slot__app"]
    unread = ["slot__publishing_password"]
    search_fields = ["name", "slot__app__name"]
    actions = ["run", "start", "stop"]

    def view_on_site(self, obj: WebJob) -> str:
        return slot_url(obj.slot, "webjobs")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether run, start and stop are offered."""
        return request.user.has_perm("webjobs.change_webjob")

    def has_delete_permission(self, request: HttpRequest, obj: WebJob | None = None) -> bool:
        return request.user.has_perm("webjobs.delete_webjob")

    @admin.action(description=_("Run selected WebJobs"), permissions=["operate"])
    def run(self, request: HttpRequest, queryset: QuerySet[WebJob]) -> None:
        done = _("%(count)d WebJobs were triggered.")
        self.ask_each(request, queryset, dispatch.run_now, str(done))

    @admin.action(description=_("Start selected WebJobs"), permissions=["operate"])
    def start(self, request: HttpRequest, queryset: QuerySet[WebJob]) -> None:
        self.ask_each(request, queryset, dispatch.start, str(_("%(count)d WebJobs were started.")))

    @admin.action(description=_("Stop selected WebJobs"), permissions=["operate"])
    def stop(self, request: HttpRequest, queryset: QuerySet[WebJob]) -> None:
        self.ask_each(request, queryset, dispatch.stop, str(_("%(count)d WebJobs were stopped.")))

    def delete_model(self, request: HttpRequest, obj: WebJob) -> None:
        dispatch.delete(obj, actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WebJob]) -> None:
        for job in queryset:
            dispatch.delete(job, actor_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The WebJobs alone: a history may have a million runs."""
        names = [f"{job.slot}/{job.type}/{job.name}" for job in objs]
        return names, {_("WebJobs"): len(names)}, set(), []


@admin.register(Schedule)
class ScheduleAdmin(TellsRefusals[Schedule], Facts[Schedule], Joined[Schedule]):
    """Expressions are changed on the WebJob's page; here they are switched on and off."""

    list_display = ["webjob", "expression", "time_zone", "is_enabled", "last_occurrence", "since"]
    list_filter = ["is_enabled", "last_occurrence"]
    joined = ["job__slot__app"]
    unread = ["job__slot__publishing_password"]
    search_fields = ["job__name", "expression"]
    ordering = ["job__name"]
    actions = ["switch_on", "switch_off"]

    @admin.display(description=_("WebJob"), ordering="job__name")
    def webjob(self, schedule: Schedule) -> str:
        return f"{schedule.job.slot}/{schedule.job.name}"

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether schedules may be switched."""
        return request.user.has_perm("webjobs.change_schedule")

    @admin.action(description=_("Switch selected schedules on"), permissions=["operate"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        done = _("%(count)d schedules were switched on.")
        self.ask_each(request, queryset, _switch(True), str(done))

    @admin.action(description=_("Switch selected schedules off"), permissions=["operate"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        done = _("%(count)d schedules were switched off.")
        self.ask_each(request, queryset, _switch(False), str(done))


def _switch(is_enabled: bool) -> Any:
    def ask(schedule: Schedule, actor: Actor) -> None:
        expression, zone = schedule.expression, schedule.time_zone
        dispatch.set_schedule(schedule.job, expression, zone, is_enabled, actor)

    return ask
