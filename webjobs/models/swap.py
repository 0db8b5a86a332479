"""Swaps of two slots: wishes with the facts of how far they have come."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from webjobs.models.app import App, Slot
from webjobs.reasons import gettext_noop
from webjobs.states import SWAP_ACTIVE, SlotHold, SwapState

# Why a continuous WebJob stands still in a slot that is being swapped. Also how its supervisor
# says that it has seen the hold.
HELD_REASON = gettext_noop("Its slot is being swapped. It starts again when the swap has ended.")


class SwapQuerySet(models.QuerySet["Swap"]):
    def active(self) -> Self:
        return self.filter(state__in=sorted(SWAP_ACTIVE))


class Swap(models.Model):
    """The exchange of two slots' WebJobs and settings; `webjobs.swapping` brings it about."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="swaps")
    source = models.ForeignKey(Slot, null=True, on_delete=models.SET_NULL, related_name="+")
    target = models.ForeignKey(Slot, null=True, on_delete=models.SET_NULL, related_name="+")
    # Readable when the slots are gone.
    source_name = models.CharField(max_length=60)
    target_name = models.CharField(max_length=60)
    state = models.CharField(
        max_length=10,
        choices=[(item.value, item.value) for item in SwapState],
        default=SwapState.WAITING,
    )
    started_at = models.DateTimeField()
    deadline = models.DateTimeField(help_text="When the present state is given up")
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="How it ended, in words")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField(max_length=150)

    objects = SwapQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["app"],
                condition=Q(state__in=sorted(SWAP_ACTIVE)),
                name="swap_one_at_a_time_in_app",
            )
        ]

    def __str__(self) -> str:
        return f"{self.app}: {self.source_name} with {self.target_name}"

    @property
    def is_active(self) -> bool:
        return self.state in SWAP_ACTIVE

    @property
    def slots(self) -> list[int]:
        """The keys of the two slots, as far as they exist."""
        return [pk for pk in (self.source_id, self.target_id) if pk is not None]

    def begin_stopping(self, deadline: datetime) -> bool:
        """WAITING -> STOPPING, in the caller's transaction."""
        won = self._move(SwapState.WAITING, state=SwapState.STOPPING, deadline=deadline)
        if won:
            Slot.objects.filter(pk__in=self.slots).update(hold=SlotHold.ALL)
        return won

    def succeed(self, now: datetime, reason: str) -> bool:
        """STOPPING -> SUCCEEDED, in the transaction that exchanges."""
        return self._end(SwapState.STOPPING, SwapState.SUCCEEDED, now, reason)

    def fail(self, now: datetime, reason: str) -> bool:
        """WAITING, STOPPING -> FAILED: everything is as it was, and goes on."""
        return self._end(SwapState(self.state), SwapState.FAILED, now, reason)

    def _end(self, seen: SwapState, state: SwapState, now: datetime, reason: str) -> bool:
        won = self._move(seen, state=state, ended_at=now, reason=reason)
        if won:
            Slot.objects.filter(pk__in=self.slots).update(hold=SlotHold.NONE)
        return won

    def _move(self, seen: SwapState, **values: object) -> bool:
        if not Swap.objects.active().filter(pk=self.pk, state=seen).update(**values):
            return False
        for name, value in values.items():
            setattr(self, name, value)
        return True
