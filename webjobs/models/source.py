"""Where the WebJobs of a slot come from when a repository has them, and each time they came."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q

from webjobs.models.app import Slot
from webjobs.models.fields import EncryptedTextField
from webjobs.states import DEPLOYMENT_ACTIVE, DeploymentStatus, DeploymentTrigger

# Whoever deploys renews it every few seconds; after it others may take the deployment over.
LEASE = timedelta(seconds=60)
# How often a deployment is begun whose workers were lost over it.
MOST_ATTEMPTS = 3
REASON_MAX_LENGTH = 1000


def new_secret() -> str:
    """Of a webhook; as long as anybody could wish."""
    return secrets.token_urlsafe(32)


class SourceConnectionQuerySet(models.QuerySet["SourceConnection"]):
    def to_poll(self, now: datetime) -> Self:
        return self.filter(next_poll_at__lte=now, slot__deleted_at=None)


class SourceConnection(models.Model):
    """The wish that a slot's WebJobs are those of one branch of a repository."""

    slot = models.OneToOneField(Slot, on_delete=models.CASCADE, related_name="source")
    url = models.CharField(max_length=500, help_text="Without user name and password")
    branch = models.CharField(max_length=200)
    user_name = models.CharField(max_length=100, blank=True, help_text="For https")
    secret = EncryptedTextField(blank=True, help_text="Token for https, private key for ssh")
    public_key = models.TextField(blank=True, help_text="What the repository must know, for ssh")
    known_hosts = models.TextField(blank=True, help_text="The host's key, for ssh")
    webhook_secret = EncryptedTextField(default=new_secret)
    poll_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    next_poll_at = models.DateTimeField(null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    by_name = models.CharField(max_length=150)
    # What was found at the last look at the repository.
    commit = models.CharField(max_length=64, blank=True, help_text="The last one deployed")
    checked_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=REASON_MAX_LENGTH, blank=True)

    objects = SourceConnectionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.url} ({self.branch})"

    @property
    def protocol(self) -> str:
        """https, ssh or file."""
        if self.url.startswith("https://"):
            return "https"
        return "file" if self.url.startswith("/") else "ssh"

    def claim_poll(self, now: datetime) -> bool:
        """Take the look that is due; false when somebody else has it, or none is wished."""
        if self.poll_minutes is None:
            return False
        mine = SourceConnection.objects.filter(pk=self.pk, next_poll_at=self.next_poll_at)
        later = now + timedelta(minutes=self.poll_minutes)
        return bool(mine.to_poll(now).update(next_poll_at=later))

    def note(self, now: datetime, problem: str, **facts: Any) -> None:
        """Write down how the last look at the repository went; empty `problem`: well."""
        SourceConnection.objects.filter(pk=self.pk).update(
            checked_at=now, problem=problem[:REASON_MAX_LENGTH], **facts
        )


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def active(self) -> Self:
        return self.filter(status__in=sorted(DEPLOYMENT_ACTIVE))

    def lost(self, now: datetime) -> Self:
        """Begun by somebody who has not been heard of for too long."""
        return self.filter(status=DeploymentStatus.DEPLOYING, lease_until__lt=now)


class Deployment(models.Model):
    """One time that a slot got its WebJobs from a commit, with what became of each."""

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="deployments")
    trigger = models.CharField(
        max_length=10, choices=[(item.value, item.value) for item in DeploymentTrigger]
    )
    status = models.CharField(
        max_length=10,
        choices=[(item.value, item.value) for item in DeploymentStatus],
        default=DeploymentStatus.PENDING,
    )
    # Of a redeployment: the one whose packages come back.
    again = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    repository = models.CharField(max_length=500, blank=True)
    branch = models.CharField(max_length=200, blank=True)
    commit = models.CharField(max_length=64, blank=True)
    author = models.CharField(max_length=200, blank=True)
    message = models.TextField(blank=True)
    committed_at = models.DateTimeField(null=True, blank=True)
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField(max_length=150)
    # By WebJob: {type, name, outcome, reason, params, package}; see webjobs.deploying.
    results = models.JSONField(default=list)
    log = models.TextField(blank=True)
    reason = models.CharField(max_length=REASON_MAX_LENGTH, blank=True, help_text="How it ended")
    epoch = models.PositiveIntegerField(default=0, help_text="Rises when it is begun")
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["slot"],
                condition=Q(status=DeploymentStatus.DEPLOYING),
                name="deployment_one_at_a_time_in_slot",
            ),
            # Whoever asks twice for the newest commit gets one.
            models.UniqueConstraint(
                fields=["slot"],
                condition=Q(status=DeploymentStatus.PENDING, again=None),
                name="deployment_one_waits_in_slot",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "requested_at"],
                condition=Q(status__in=["Pending", "Deploying"]),
                name="deployment_active",
            )
        ]

    def __str__(self) -> str:
        return f"{self.slot} {self.short_commit}".strip()

    @property
    def short_commit(self) -> str:
        return self.commit[:10]

    @property
    def title(self) -> str:
        """The first line of the commit's message."""
        return self.message.strip().partition("\n")[0][:200]

    @property
    def is_active(self) -> bool:
        return self.status in DEPLOYMENT_ACTIVE

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return max(self.ended_at - self.started_at, timedelta())

    def claim(self, now: datetime) -> bool:
        """Begin it; false when somebody else has, or another one of its slot is in progress."""
        waiting = Deployment.objects.filter(pk=self.pk, status=DeploymentStatus.PENDING)
        try:
            with transaction.atomic():
                won = waiting.update(  # PENDING -> DEPLOYING
                    status=DeploymentStatus.DEPLOYING,
                    started_at=now,
                    lease_until=now + LEASE,
                    epoch=F("epoch") + 1,
                )
        except IntegrityError:
            return False
        if won:
            self.refresh_from_db(fields=["status", "started_at", "lease_until", "epoch"])
        return bool(won)

    def _mine(self) -> DeploymentQuerySet:
        return Deployment.objects.filter(
            pk=self.pk, epoch=self.epoch, status=DeploymentStatus.DEPLOYING
        )

    def renew(self, now: datetime, **facts: Any) -> bool:
        """Keep it for one more lease, with what is known by now; false when it was lost."""
        return bool(self._mine().update(lease_until=now + LEASE, **facts))

    def finish(self, status: DeploymentStatus, now: datetime, reason: str, **facts: Any) -> bool:
        """DEPLOYING -> SUCCESS, PARTIAL or FAILED, unless somebody else has taken it over."""
        return bool(
            self._mine().update(
                status=status,
                ended_at=now,
                lease_until=None,
                reason=reason[:REASON_MAX_LENGTH],
                **facts,
            )
        )

    def take_back(self, now: datetime, reason: str) -> bool:
        """What a lost worker had begun: begin anew, or give up after too many attempts."""
        lost = self._mine().lost(now)
        is_pushed = self.trigger == DeploymentTrigger.PUSH  # Nobody else has what was pushed.
        if is_pushed or self.epoch >= MOST_ATTEMPTS:  # DEPLOYING -> FAILED
            return bool(
                lost.update(
                    status=DeploymentStatus.FAILED, ended_at=now, lease_until=None, reason=reason
                )
            )
        try:
            with transaction.atomic():  # DEPLOYING -> PENDING
                return bool(lost.update(status=DeploymentStatus.PENDING, lease_until=None))
        except IntegrityError:
            # Another one waits, and it deploys the same branch.
            return bool(
                lost.update(
                    status=DeploymentStatus.FAILED, ended_at=now, lease_until=None, reason=reason
                )
            )
