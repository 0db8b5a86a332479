"""Who did what, when, from where: to be read, by nobody to be changed."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_noop

from webjobs.admin.base import SEARCHED, Facts, LargeTable
from webjobs.admin.words import filled
from webjobs.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(Facts[AuditEntry], LargeTable[AuditEntry]):
    list_display = ["at", "user_name", "action", "target", "address", "details"]
    list_filter = ["at"]
    search_fields = ["user_name", "action", "target"]
    search_help_text = filled(
        gettext_noop(
            "Part of a user's name, an action or a target; reads the newest %(count)d entries "
            "of the chosen dates."
        ),
        count=SEARCHED,
    )
    ordering = ["-at"]
    sortable_by = ["at"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Only the newest are searched, because no index finds a part of a word."""
        if search_term:
            oldest = queryset.order_by("-at").values_list("at", flat=True)[SEARCHED : SEARCHED + 1]
            queryset = queryset.filter(at__gt=oldest[0]) if oldest else queryset
        return super().get_search_results(request, queryset, search_term)
