"""Runs and occurrences: lists that stay fast over a million rows."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from webjobs import dispatch
from webjobs.admin.base import Facts, LargeTable, TellsRefusals
from webjobs.admin.words import filled
from webjobs.models import Occurrence, Run, WebJob
from webjobs.views.addresses import run_url

R = TypeVar("R", bound=Run)

# A search by name shows the runs of so many WebJobs, by name; their rows must be sorted together.
SEARCHED_WEBJOBS = 20


class RunList(TellsRefusals[R], Facts[R], LargeTable[R]):
    """Newest first, which an index answers; so do the filters, also together with the dates."""

    list_filter = ["status", "queued_at"]
    ordering = ["-queued_at"]
    sortable_by = ["queued_at"]
    # Only says that there is a search; `get_search_results` reads no text of a run.
    search_fields = ["number"]
    search_help_text = filled(
        gettext_noop(
            "A run's number, or part of a WebJob's name; shows the runs of up to %(count)d WebJobs."
        ),
        count=SEARCHED_WEBJOBS,
    )
    actions = ["stop"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[R]:
        """What runs belong to comes by queries of its own.

        Joined, a database may begin with the few apps and sort all their runs.
        """
        jobs = WebJob.objects.select_related("slot__app").defer("slot__publishing_password")
        runs: QuerySet[R] = super().get_queryset(request)
        return runs.prefetch_related(Prefetch("job", jobs), "instance")

    @admin.display(description=_("WebJob"))
    def webjob(self, run: R) -> str:
        return f"{run.job.slot}/{run.job.name}"

    # A foreign key among the columns would make the list join everything.
    @admin.display(description=_("instance"))
    def on_instance(self, run: R) -> str | None:
        return run.instance.name if run.instance else None

    @admin.display(description=_("duration"))
    def took(self, run: R) -> timedelta | None:
        return run.duration()

    def view_on_site(self, obj: R) -> str:
        return run_url(obj)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether runs may be stopped."""
        return request.user.has_perm("webjobs.change_run")

    @admin.action(description=_("Stop selected runs"), permissions=["operate"])
    def stop(self, request: HttpRequest, queryset: QuerySet[R]) -> None:
        done = _("%(count)d runs were asked to stop.")
        self.ask_each(request, queryset, dispatch.stop_run, str(done))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[R], search_term: str
    ) -> tuple[QuerySet[R], bool]:
        """By keys that are looked up first, so that the runs are found by an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        jobs = WebJob.objects.filter(name__icontains=term).values_list("pk", flat=True)
        found = queryset.filter(job__in=list(jobs[:SEARCHED_WEBJOBS]))
        if term.isdecimal() and not found.exists():
            found = queryset.filter(number=int(term), job__in=WebJob.objects.all())
        return found, False


@admin.register(Run)
class RunAdmin(RunList[Run]):
    list_display = [
        "number", "webjob", "status", "trigger", "queued_at", "started_at", "took", "exit_code",
        "on_instance",
    ]  # fmt: skip


@admin.register(Occurrence)
class OccurrenceAdmin(RunList[Occurrence]):
    """What schedules brought about, with those that were skipped or missed and why."""

    list_display = [
        "scheduled_for",
        "webjob",
        "status",
        "queued_at",
        "started_at",
        "took",
        "reason",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Occurrence]:
        return super().get_queryset(request).filter(scheduled_for__isnull=False)
