"""The form in which a WebJob is edited, and what a filled one changes."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webjobs.forms import PolicyForm, ScheduleForm, UploadField
from webjobs.models import Package, WebJob
from webjobs.runner.settings_job import SettingsError, parse_settings
from webjobs.states import Concurrency, RetryOn
from webjobs.telling import told

SALT = "webjobs.edit"
# Seconds between the review of an uploaded package and its use.
PACKAGE_LASTS = 24 * 3600
_SCHEDULE = ("cron", "time_zone", "is_enabled")
_POLICY = tuple(PolicyForm.base_fields)
_YES_NO = [
    ("", gettext_lazy("Default")),
    ("true", gettext_lazy("Yes")),
    ("false", gettext_lazy("No")),
]


def package_token(job: WebJob, package: Package) -> str:
    """Lets the next form use a package that was uploaded for `job` and checked."""
    return signing.dumps([job.pk, package.pk], salt=SALT)


class EditForm(ScheduleForm, PolicyForm):
    """All that can be changed of a WebJob. `base` and `seen` are what the editor began from."""

    is_singleton = forms.ChoiceField(choices=_YES_NO, required=False)
    is_in_place = forms.ChoiceField(choices=_YES_NO, required=False)
    stopping_wait_time = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    other = forms.CharField(
        required=False,
        max_length=256 * 1024,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
    )
    file = UploadField(required=False)
    package = forms.CharField(required=False, widget=forms.HiddenInput)
    base = forms.CharField(widget=forms.HiddenInput)
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, job: WebJob, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.job = job
        for name in (*_SCHEDULE, *_POLICY) if job.is_continuous else ("is_singleton",):
            del self.fields[name]
        if "retry_on" in self.fields:
            self.fields["retry_on"].widget = forms.CheckboxSelectMultiple(
                choices=PolicyForm.base_fields["retry_on"].choices  # type: ignore[attr-defined]
            )

    @classmethod
    def begun(cls, job: WebJob, seen: str) -> EditForm:
        """As `job` is now."""
        schedule = getattr(job, "schedule", None)
        values: dict[str, Any] = {name: getattr(job, name) for name in _POLICY}
        values["concurrency"] = job.concurrency or Concurrency.SKIP
        if job.retry_on is None:
            values["retry_on"] = [item.value for item in RetryOn]
        for name in ("is_singleton", "is_in_place"):
            values[name] = {None: "", True: "true", False: "false"}[getattr(job, name)]
        values |= {
            "cron": schedule.expression if schedule else "",
            "time_zone": schedule.time_zone if schedule else "",
            "is_enabled": schedule.is_enabled if schedule else True,
            "stopping_wait_time": job.stopping_wait_time,
            "other": json.dumps(job.extra_settings, indent=2) if job.extra_settings else "",
            "seen": seen,
        }
        values["base"] = json.dumps([job.settings_job, values["is_enabled"]])
        return cls(job=job, initial=values)

    def clean_other(self) -> dict[str, Any]:
        text: str = self.cleaned_data["other"].strip()
        if not text:
            return {}
        try:
            settings = parse_settings(text)
        except SettingsError as error:
            raise ValidationError(told(error)) from error
        known = settings.to_dict().keys() - settings.extra.keys()
        if known:
            raise ValidationError(_("%(key)s has a field of its own.") % {"key": sorted(known)[0]})
        return dict(settings.extra)

    def clean_base(self) -> tuple[dict[str, Any], bool]:
        try:
            settings, is_enabled = json.loads(self.cleaned_data["base"])
            return dict(settings), bool(is_enabled)
        except (ValueError, TypeError, RecursionError) as error:
            raise ValidationError(_("Open this page anew.")) from error

    def clean_package(self) -> Package | None:
        token: str = self.cleaned_data["package"]
        if not token:
            return None
        try:
            job, package = signing.loads(token, salt=SALT, max_age=PACKAGE_LASTS)
        except signing.BadSignature as error:
            raise ValidationError(_("Choose the file again.")) from error
        return Package.objects.filter(pk=package).first() if job == self.job.pk else None

    def clean(self) -> dict[str, Any]:
        return super().clean() if "retry_attempts" in self.fields else self.cleaned_data

    @property
    def changed(self) -> tuple[dict[str, Any], bool | None]:
        """The keys of settings.job that the editor changed, and the switch if that was."""
        base, was_enabled = self.cleaned_data["base"]
        wanted = self._wanted()
        changed = {key: value for key, value in wanted.items() if value != base.get(key)}
        extra = self.cleaned_data["other"]
        changed |= {key: value for key, value in extra.items() if value != base.get(key)}
        changed |= dict.fromkeys(base.keys() - extra.keys() - set(_KNOWN))
        is_enabled = self.cleaned_data.get("is_enabled")
        return changed, None if is_enabled in (None, was_enabled) else is_enabled

    def _wanted(self) -> dict[str, Any]:
        values = self.cleaned_data
        wanted = {"stopping_wait_time": values["stopping_wait_time"]}
        for name in ("is_singleton", "is_in_place"):
            if name in values:
                wanted[name] = {"": None, "true": True, "false": False}[values[name]]
        if self.job.is_continuous:
            return wanted
        policy = {name: values[name] for name in _POLICY}
        if policy["concurrency"] == Concurrency.SKIP:
            policy["concurrency"] = None
        if len(policy["retry_on"]) in (0, len(RetryOn)):
            policy["retry_on"] = None
        return wanted | policy | {
            "schedule": values["cron"] or None, "time_zone": values["time_zone"] or None,
        }  # fmt: skip


_KNOWN = ("schedule", "time_zone", "is_singleton", "is_in_place", "stopping_wait_time", *_POLICY)
