"""The worker machines, what continuous WebJobs do on them, and the beats."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webjobs.admin.base import Facts, Joined
from webjobs.models import Beat, Copy, Instance


@admin.register(Instance)
class InstanceAdmin(Facts[Instance]):
    list_display = [
        "name", "is_live", "is_draining", "threads", "started_at", "heartbeat_at", "stopped_at",
    ]  # fmt: skip
    list_filter = ["is_draining", "heartbeat_at"]
    search_fields = ["name", "key"]

    @admin.display(boolean=True, description=_("live"))
    def is_live(self, instance: Instance) -> bool:
        return instance.is_live(timezone.now())


@admin.register(Copy)
class CopyAdmin(Facts[Copy], Joined[Copy]):
    list_display = [
        "webjob", "instance", "status", "changed_at", "restarts", "exit_code", "restart_at",
        "crash_looping_since", "reason",
    ]  # fmt: skip
    list_filter = ["status", "instance", ("crash_looping_since", admin.EmptyFieldListFilter)]
    joined = ["job__slot__app", "instance"]
    unread = ["job__slot__publishing_password"]
    search_fields = ["job__name", "instance__name"]
    ordering = ["job__name", "instance__name"]

    @admin.display(description=_("WebJob"), ordering="job__name")
    def webjob(self, copy: Copy) -> str:
        return f"{copy.job.slot}/{copy.job.name}"


@admin.register(Beat)
class BeatAdmin(Facts[Beat]):
    """Beats come and go; of those that ended, nobody needs to keep the row."""

    list_display = ["key", "ticked_at"]
    search_fields = ["key"]
    ordering = ["-ticked_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Beat | None = None) -> list[str]:
        return ["key", "ticked_at"]
