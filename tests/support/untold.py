"""Which of the reasons that are stored would be English on a French page."""

from __future__ import annotations

from django.utils.translation import override

from webjobs.models import Copy, DebugSession, Run, Swap
from webjobs.retelling import retold


def untold_reasons() -> list[str]:
    stored = {
        *Run.objects.values_list("reason", flat=True),
        *Run.objects.values_list("stop_reason", flat=True),
        *Copy.objects.values_list("reason", flat=True),
        *Swap.objects.values_list("reason", flat=True),
        *DebugSession.objects.values_list("reason", flat=True),
    }
    with override("fr"):
        return sorted(reason for reason in stored if reason and retold(reason) is None)
