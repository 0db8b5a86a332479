"""What people say of a WebJob: its name, package, schedule and policy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webjobs.forms.fields import REQUIRED, UploadField, checked_expression, checked_zone
from webjobs.models import Slot, WebJob
from webjobs.models.app import validate_name
from webjobs.models.webjob import NAME_MAX_LENGTH
from webjobs.runner.settings_job import LIMITS
from webjobs.states import Concurrency, JobType, RetryOn


class AddWebJobForm(forms.Form):
    """The Add WebJob panel."""

    MANUAL, SCHEDULED = "manual", "scheduled"
    MULTI, SINGLE = "multi", "single"

    name = forms.CharField(
        max_length=NAME_MAX_LENGTH,
        validators=[validate_name],
        error_messages={"required": REQUIRED},
    )
    file = UploadField(
        error_messages={"required": REQUIRED, "empty": gettext_lazy("The file is empty.")}
    )
    type = forms.ChoiceField(
        choices=[
            (JobType.CONTINUOUS.value, gettext_lazy("Continuous")),
            (JobType.TRIGGERED.value, gettext_lazy("Triggered")),
        ],
        initial=JobType.CONTINUOUS.value,
    )
    triggers = forms.ChoiceField(
        choices=[(MANUAL, gettext_lazy("Manual")), (SCHEDULED, gettext_lazy("Scheduled"))],
        initial=MANUAL,
        required=False,
    )
    cron = forms.CharField(max_length=255, required=False)
    scale = forms.ChoiceField(
        choices=[
            (MULTI, gettext_lazy("Multi Instance")),
            (SINGLE, gettext_lazy("Single Instance")),
        ],
        initial=MULTI,
        required=False,
    )

    def __init__(self, *args: Any, slot: Slot, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slot = slot

    @property
    def is_scheduled(self) -> bool:
        """Whether type and trigger, as typed so far, ask for an expression."""
        triggered = self["type"].value() == JobType.TRIGGERED.value
        return bool(triggered and self["triggers"].value() == self.SCHEDULED)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        name, type = values.get("name"), values.get("type")
        if name and type and self._is_taken(name, type):
            self.add_error("name", _("The WebJob already exists."))
        if self.is_scheduled and "cron" not in self.errors:
            self._clean_cron(values.get("cron", ""))
        return values

    def _is_taken(self, name: str, type: str) -> bool:
        jobs = WebJob.objects.living().filter(slot=self.slot, type=type)
        return jobs.filter(name__iexact=name).exists()

    def _clean_cron(self, text: str) -> None:
        if not text:
            self.add_error("cron", REQUIRED)
            return
        try:
            self.cleaned_data["cron"] = checked_expression(text)
        except ValidationError as error:
            self.add_error("cron", error)

    @property
    def schedule(self) -> str | None:
        return self.cleaned_data["cron"] if self.is_scheduled else None

    @property
    def is_singleton(self) -> bool | None:
        """True for Single Instance; None leaves what the package says."""
        is_continuous = self.cleaned_data["type"] == JobType.CONTINUOUS.value
        return True if is_continuous and self.cleaned_data["scale"] == self.SINGLE else None


class PackageForm(forms.Form):
    """New files for a WebJob."""

    file = UploadField(
        error_messages={"required": REQUIRED, "empty": gettext_lazy("The file is empty.")}
    )


class ScheduleForm(forms.Form):
    """The schedule of a triggered WebJob; an empty expression removes it."""

    cron = forms.CharField(max_length=255, required=False)
    time_zone = forms.CharField(max_length=64, required=False)
    is_enabled = forms.BooleanField(required=False)

    def clean_cron(self) -> str:
        text: str = self.cleaned_data["cron"]
        return checked_expression(text) if text else ""

    def clean_time_zone(self) -> str:
        return checked_zone(self.cleaned_data["time_zone"])


def _number(name: str) -> forms.IntegerField:
    lowest, highest = LIMITS[name]
    return forms.IntegerField(required=False, min_value=lowest, max_value=highest)


class PolicyForm(forms.Form):
    """How the runs of a triggered WebJob follow each other; an empty number is the default."""

    concurrency = forms.ChoiceField(
        choices=[
            (Concurrency.SKIP.value, gettext_lazy("Skip the new run")),
            (Concurrency.QUEUE.value, gettext_lazy("Queue the new run")),
            (Concurrency.PARALLEL.value, gettext_lazy("Run in parallel")),
        ]
    )
    max_parallel = _number("max_parallel")
    queue_limit = _number("queue_limit")
    retry_attempts = _number("retry_attempts")
    retry_delay = _number("retry_delay")
    retry_on = forms.MultipleChoiceField(
        choices=[
            (RetryOn.FAILURE.value, gettext_lazy("When it failed")),
            (RetryOn.LOST.value, gettext_lazy("When its instance was lost")),
        ],
        required=False,
    )

    @classmethod
    def of(cls, job: WebJob) -> PolicyForm:
        """As the settings of `job` are."""
        values = {name: getattr(job, name) for name in cls.base_fields}
        values["concurrency"] = job.concurrency or Concurrency.SKIP
        if job.retry_on is None:
            values["retry_on"] = [item.value for item in RetryOn]
        return cls(initial=values)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("retry_attempts") and values.get("retry_on") == []:
            self.add_error("retry_on", _("Say after what a run is tried again."))
        return values

    @property
    def policy(self) -> dict[str, Any]:
        """The keys of settings.job; what is as by default is absent there."""
        values = dict(self.cleaned_data)
        if values["concurrency"] == Concurrency.SKIP:
            values["concurrency"] = None
        if len(values["retry_on"]) in (0, len(RetryOn)):
            values["retry_on"] = None
        return values
