"""What the pages show of deployments: words and colours for states and results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from webjobs import retelling
from webjobs.models import Deployment, Slot, WebJob
from webjobs.reasons import Phrase
from webjobs.states import DeploymentStatus, DeploymentTrigger, JobType, Outcome
from webjobs.telling import sentence

SHOWN = 50


def status_words(status: str) -> str:
    return {
        DeploymentStatus.PENDING: _("Waiting"),
        DeploymentStatus.DEPLOYING: _("In progress"),
        DeploymentStatus.SUCCESS: _("Success"),
        DeploymentStatus.PARTIAL: _("Partly"),
        DeploymentStatus.FAILED: _("Failed"),
    }[DeploymentStatus(status)]


_KINDS = {
    DeploymentStatus.PENDING: "",
    DeploymentStatus.DEPLOYING: "busy",
    DeploymentStatus.SUCCESS: "ok",
    DeploymentStatus.PARTIAL: "warn",
    DeploymentStatus.FAILED: "bad",
}
_OUTCOME_KINDS = {
    Outcome.ADDED: "ok",
    Outcome.REPLACED: "ok",
    Outcome.UNCHANGED: "",
    Outcome.REFUSED: "bad",
    Outcome.GONE: "warn",
}


def trigger_words(trigger: str) -> str:
    return {
        DeploymentTrigger.MANUAL: _("Sync"),
        DeploymentTrigger.POLL: _("Poll"),
        DeploymentTrigger.WEBHOOK: _("Webhook"),
        DeploymentTrigger.REDEPLOY: _("Redeploy"),
        DeploymentTrigger.PUSH: "git push",
    }[DeploymentTrigger(trigger)]


def _outcome_words(outcome: str) -> str:
    return {
        Outcome.ADDED: _("Added"),
        Outcome.REPLACED: _("Replaced"),
        Outcome.UNCHANGED: _("Unchanged"),
        Outcome.REFUSED: _("Refused"),
        Outcome.GONE: _("No longer there"),
    }[Outcome(outcome)]


# Places of stored reasons whose texts are translated too: JSON does not tell them from names.
_PHRASES = {"kind", "wanted"}


@dataclass(frozen=True)
class DeploymentRow:
    """One line of the deployment log."""

    deployment: Deployment

    @property
    def status(self) -> str:
        return status_words(self.deployment.status)

    @property
    def kind(self) -> str:
        return _KINDS[DeploymentStatus(self.deployment.status)]

    @property
    def trigger(self) -> str:
        return trigger_words(self.deployment.trigger)

    @property
    def reason(self) -> str:
        return retelling.shown(self.deployment.reason)

    @property
    def changes(self) -> str:
        """`1 added, 2 unchanged`; empty while nothing is known."""
        counts = dict.fromkeys(Outcome, 0)
        for one in self.deployment.results:
            counts[Outcome(one["outcome"])] += 1
        return ", ".join(
            _("%(what)s: %(value)s") % {"what": _outcome_words(outcome), "value": count}
            for outcome, count in counts.items()
            if count
        )


def deployments_of(slot: Slot) -> list[DeploymentRow]:
    """The newest first."""
    found = Deployment.objects.filter(slot=slot).defer("log")[:SHOWN]
    return [DeploymentRow(deployment) for deployment in found]


@dataclass(frozen=True)
class ResultRow:
    """What became of one WebJob; `job` is None when there is none of this name now."""

    type: str
    name: str
    kind: str
    words: str
    why: str
    outcome: str
    job: WebJob | None


def results_of(deployment: Deployment) -> list[ResultRow]:
    """In the order in which they were deployed."""
    jobs = {
        (job.type, job.name.lower()): job
        for job in WebJob.objects.living().filter(slot=deployment.slot_id)
    }
    return [_row(one, jobs) for one in deployment.results]


def _row(one: dict[str, Any], jobs: dict[tuple[str, str], WebJob]) -> ResultRow:
    return ResultRow(
        type=_("Continuous") if one["type"] == JobType.CONTINUOUS else _("Triggered"),
        name=one["name"],
        kind=_OUTCOME_KINDS[Outcome(one["outcome"])],
        words=_outcome_words(one["outcome"]),
        why=_why(one["text"], one["params"]) if one["text"] else "",
        outcome=one["outcome"],
        job=jobs.get((one["type"], one["name"].lower())),
    )


def _why(text: str, params: dict[str, Any]) -> str:
    phrases = {name: Phrase(params[name]) for name in _PHRASES & params.keys()}
    told = sentence(text, params | phrases)
    # Some were stored with their places filled.
    return retelling.shown(told) if "" in params else told


def gone_of(slot: Slot) -> list[WebJob]:
    """WebJobs that live, though the last deployment did not find them any more."""
    last = Deployment.objects.filter(slot=slot).exclude(results=[]).first()
    if last is None:
        return []
    last.slot = slot
    found = (row for row in results_of(last) if row.outcome == Outcome.GONE)
    return [row.job for row in found if row.job is not None]
