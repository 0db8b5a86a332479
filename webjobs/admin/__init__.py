"""The operators' site: everything by lists and filters; actions go the way of the portal's."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from webjobs.admin import (
    apps,
    audit,
    instances,
    packages,
    people,
    runs,
    settings,
    tasks,
    webjobs,
    words,
)

__all__ = [
    "apps",
    "audit",
    "instances",
    "packages",
    "people",
    "runs",
    "settings",
    "tasks",
    "webjobs",
    "words",
]

admin.site.site_header = _("WebJobs Portal")
admin.site.site_title = _("WebJobs Portal")
admin.site.index_title = _("Administration")
admin.site.empty_value_display = "–"

words.translate(model for model in admin.site._registry if model._meta.app_label == "webjobs")
