"""Apps, their slots, and who may do what in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from webjobs import dispatch
from webjobs.access import actor_of
from webjobs.admin.base import Joined, ModelAdmin, Recorded, TellsRefusals
from webjobs.models import App, Membership, Role, Slot, WebJob
from webjobs.views.addresses import slot_url


@admin.register(App)
class AppAdmin(TellsRefusals[App], Recorded[App]):
    """An app is deleted only when no WebJob of it is left: their processes must end first."""

    list_display = ["name", "created_at"]
    search_fields = ["name"]
    list_filter = ["created_at"]
    actions = None
    # The wishes are changed on the page Configuration; the facts by nobody.
    exclude = [
        "tier", "kind", "always_on", "last_used_at", "is_idle", "idle_since", "woken_at",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: App | None = None) -> list[str]:
        # The name is part of addresses, folders and environments of jobs that run.
        return ["name", "created_at"] if obj else []

    def view_on_site(self, obj: App) -> str:
        return reverse("webjobs", kwargs={"app": obj.name})

    def save_model(self, request: HttpRequest, obj: App, form: Any, change: bool) -> None:
        if not change:
            created = dispatch.create_app(obj.name, actor_of(request))
            obj.pk, obj.created_at = created.pk, created.created_at
            obj._state.adding = False

    def log_addition(self, request: HttpRequest, obj: App, message: Any) -> Any:
        # `create_app` has recorded it.
        return ModelAdmin.log_addition(self, request, obj, message)

    def audit_app(self, obj: App) -> App:
        return obj

    def audit_target(self, obj: App) -> str:
        return ""

    def has_delete_permission(self, request: HttpRequest, obj: App | None = None) -> bool:
        if obj is not None and WebJob.objects.filter(slot__app=obj).exists():
            return False
        return super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """With the slots, settings and memberships, which nobody needs to confirm one by one."""
        return [str(found) for found in objs], {_("apps"): len(objs)}, set(), []


@admin.register(Slot)
class SlotAdmin(Recorded[Slot], Joined[Slot]):
    """The publishing password is not here; the portal reveals and changes it."""

    list_display = ["__str__", "app", "name", "settings_revision"]
    joined = ["app"]
    unread = ["publishing_password"]
    search_fields = ["app__name", "name"]
    autocomplete_fields = ["app"]
    fields = ["app", "name", "settings_revision", "environment_revision"]
    actions = None

    def get_readonly_fields(self, request: HttpRequest, obj: Slot | None = None) -> list[str]:
        facts = ["settings_revision", "environment_revision"]
        return ["app", "name", *facts] if obj else facts

    def view_on_site(self, obj: Slot) -> str:
        return slot_url(obj, "webjobs")

    def audit_app(self, obj: Slot) -> App:
        return obj.app

    def audit_target(self, obj: Slot) -> str:
        return f"slot/{obj.name}"

    def has_delete_permission(self, request: HttpRequest, obj: Slot | None = None) -> bool:
        if obj is not None and (obj.is_production or WebJob.objects.filter(slot=obj).exists()):
            return False
        return super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return [str(found) for found in objs], {_("slots"): len(objs)}, set(), []


@admin.register(Membership)
class MembershipAdmin(Recorded[Membership]):
    """The role of one person in one app."""

    list_display = ["user", "app", "role"]
    list_select_related = ["app", "user"]
    list_filter = ["role"]
    search_fields = ["user__username", "app__name"]
    autocomplete_fields = ["app", "user"]

    def audit_app(self, obj: Membership) -> App:
        return obj.app

    def audit_target(self, obj: Membership) -> str:
        return f"membership/{obj.user}"

    def audit_details(self, obj: Membership) -> dict[str, Any]:
        # In English, whoever reads or writes it.
        return {"role": str(Role(obj.role).label)}
