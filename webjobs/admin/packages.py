"""The uploaded packages, which never change."""

from __future__ import annotations

from django.contrib import admin

from webjobs.admin.base import Facts, Joined, LargeTable
from webjobs.models import Package


@admin.register(Package)
class PackageAdmin(Facts[Package], Joined[Package], LargeTable[Package]):
    list_display = ["file_name", "kind", "size", "script", "short_hash", "created_at", "created_by"]
    list_filter = ["kind", "created_at"]
    joined = ["created_by"]
    # A package may have ten thousand entries, and a list shows none of them.
    unread = ["entries", "candidates", "settings_job"]
    search_fields = ["sha256__startswith", "file_name"]
