"""Apps, their deployment slots, and who may do what in them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy

from webjobs.models.fields import EncryptedTextField
from webjobs.states import AppKind, SlotHold, Tier

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

PRODUCTION = "production"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*\Z"

validate_name = RegexValidator(
    NAME_PATTERN,
    gettext_lazy(
        "Must start with a letter or a number and must not contain special characters other than "
        '"-" and "_".'
    ),
)


def new_password() -> str:
    """60 characters, as long as Azure's publishing passwords."""
    return secrets.token_urlsafe(45)


class AppQuerySet(models.QuerySet["App"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Apps in which `user` has any role; all of them for a superuser."""
        if getattr(user, "is_superuser", False) and user.is_active:
            return self
        return self.filter(memberships__user_id=user.pk, memberships__user__is_active=True)

    def can_idle(self) -> Self:
        """Those that nothing keeps loaded."""
        return self.exclude(always_on=True, tier__in=_WITH_ALWAYS_ON)


_WITH_ALWAYS_ON = [tier.value for tier in Tier if tier.has_always_on]


class App(models.Model):
    """An App Service app: WebJobs, settings and credentials live in its slots."""

    name = models.CharField(max_length=60, validators=[validate_name])
    created_at = models.DateTimeField(auto_now_add=True)
    tier = models.CharField(
        max_length=10, choices=[(item.value, item.value) for item in Tier], default=Tier.PREMIUM
    )
    kind = models.CharField(
        max_length=10, choices=[(item.value, item.value) for item in AppKind], default=AppKind.WEB
    )
    always_on = models.BooleanField(default=True, help_text="Counts from the Basic tier on")
    # Facts of an app that is not always on; of others nobody writes the use down.
    last_used_at = models.DateTimeField(default=timezone.now)
    is_idle = models.BooleanField(default=False)
    idle_since = models.DateTimeField(null=True, blank=True)
    woken_at = models.DateTimeField(null=True, blank=True, help_text="The end of the last idling")

    objects = AppQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="app_name_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_always_on(self) -> bool:
        """It is wished, and the tier has it."""
        return self.always_on and Tier(self.tier).has_always_on

    @property
    def can_scale(self) -> bool:
        """Whether a continuous WebJob may run on several instances."""
        return Tier(self.tier).has_instances

    def slept_through(self, moment: datetime) -> bool:
        """Whether `moment` was in the last time, or is in the present one, that it idled."""
        if self.idle_since is None or moment < self.idle_since:
            return False
        return self.is_idle or (self.woken_at is not None and moment <= self.woken_at)


class SlotQuerySet(models.QuerySet["Slot"]):
    def living(self) -> Self:
        """Without those that are being deleted."""
        return self.filter(deleted_at=None)

    def special(self) -> Self:
        """Those that are held and those whose app has idled, with their apps: usually none."""
        wanted = ~Q(hold=SlotHold.NONE) | Q(app__idle_since__isnull=False)
        return self.filter(wanted).select_related("app").defer("publishing_password").order_by()


class Slot(models.Model):
    """Production or a named deployment slot; owns WebJobs, app settings, publishing credentials."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="slots")
    name = models.CharField(max_length=60, default=PRODUCTION, validators=[validate_name])
    publishing_password = EncryptedTextField(default=new_password)
    # Raised with every change of a setting; what was read at another revision is stale.
    settings_revision = models.PositiveIntegerField(default=1)
    # Raised when the environment of jobs changed, so that continuous copies start anew.
    environment_revision = models.PositiveIntegerField(default=1)
    # Written together with the state of the swap that it belongs to.
    hold = models.PositiveSmallIntegerField(
        choices=[(item.value, item.name) for item in SlotHold], default=SlotHold.NONE
    )
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="Wish to stop and vanish")

    objects = SlotQuerySet.as_manager()

    class Meta:
        ordering = ["app__name", "name"]
        constraints = [
            models.UniqueConstraint(
                "app", Lower("name"), condition=Q(deleted_at=None), name="slot_name_unique_in_app"
            )
        ]

    def __str__(self) -> str:
        return self.app.name if self.is_production else f"{self.app.name}/{self.name}"

    @property
    def is_production(self) -> bool:
        return self.name == PRODUCTION

    @property
    def site_name(self) -> str:
        """The app's name, with the slot behind it unless it is production: `app-slot`."""
        return self.app.name if self.is_production else f"{self.app.name}-{self.name}"

    @property
    def publishing_user(self) -> str:
        """Azure's form of the site-level user: `$app`, or `$app__slot`."""
        return f"${self.app.name}" if self.is_production else f"${self.app.name}__{self.name}"


class Role(models.IntegerChoices):
    """What a person may do in an app; each includes the ones before."""

    READER = 1, "Reader"
    OPERATOR = 2, "Operator"
    CONTRIBUTOR = 3, "Contributor"


class Membership(models.Model):
    """The role of one person in one app."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.READER)

    class Meta:
        ordering = ["app__name", "user__username"]
        constraints = [
            models.UniqueConstraint(fields=["app", "user"], name="membership_once_per_app"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.app}: {self.get_role_display()}"
