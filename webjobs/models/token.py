"""API tokens: what a client signs in with in a person's name."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q

from webjobs.models.app import App, Role
from webjobs.models.prepared import Given

PREFIX = "wjp_"
# The last use is written down at most this often, so that reading stays reading.
USE_RECORDED_EVERY = timedelta(minutes=1)


def digest_of(secret: str) -> str:
    """What is stored of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self, now: datetime | Given) -> Self:
        """Neither revoked nor expired, and of somebody who may still sign in."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, user__is_active=True
        )


class ApiToken(models.Model):
    """The right to act as `user`, at most with the role `most`, in one app or in all of theirs.

    Only a hash of the secret is kept.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100, help_text="What it is for")
    app = models.ForeignKey(
        App, null=True, blank=True, on_delete=models.CASCADE, related_name="api_tokens"
    )
    most = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.READER)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="How the secret begins")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.GenericIPAddressField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(most__in=Role.values), name="token_role_known")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @classmethod
    def issue(
        cls,
        user: User,
        name: str,
        most: Role = Role.READER,
        *,
        app: App | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiToken, str]:
        """A new token and its secret, which nobody can read again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user,
            name=name,
            app=app,
            most=most,
            digest=digest_of(secret),
            hint=secret[:8],
            expires_at=expires_at,
        )
        return token, secret

    def revoke(self, now: datetime) -> bool:
        """Refuse it from now on; false when it already was."""
        return bool(ApiToken.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now))

    def record_use(self, now: datetime, address: str | None) -> None:
        """Remember when and from where it was used last; it was read a moment ago."""
        last = self.last_used_at
        is_recorded = last is not None and last >= now - USE_RECORDED_EVERY
        if not is_recorded or self.last_used_address != address:
            same = ApiToken.objects.filter(pk=self.pk)
            same.update(last_used_at=now, last_used_address=address)
