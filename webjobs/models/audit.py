"""Who did what, when, from where."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from webjobs.models.app import App


class AuditEntry(models.Model):
    """One action of a person or a client. Names stay readable after their objects are gone."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    user_name = models.CharField(max_length=150)
    address = models.GenericIPAddressField(null=True)
    action = models.CharField(max_length=50, help_text="Verb and noun, such as `webjob.run`")
    app = models.ForeignKey(App, null=True, on_delete=models.SET_NULL, related_name="+")
    target = models.CharField(max_length=300, help_text="Such as `demo/triggered/nightly`")
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.user_name}: {self.action} {self.target}"
