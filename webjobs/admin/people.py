"""Users and groups: Django's own pages, with every change recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group, User

from webjobs.admin.base import Recorded

if TYPE_CHECKING:
    _UserAdmin = auth.UserAdmin[User]
else:
    _UserAdmin = auth.UserAdmin

admin.site.unregister([User, Group])


@admin.register(User)
class PortalUserAdmin(Recorded[User], _UserAdmin):
    """Roles in apps are memberships; `superuser` is for the operators of the portal."""

    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "last_login"]


@admin.register(Group)
class PortalGroupAdmin(Recorded[Group], auth.GroupAdmin):
    """Groups give permissions in this site to staff who are no superusers."""
