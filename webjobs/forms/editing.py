"""The form in which a WebJob is edited, and what a filled one changes."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webjobs.forms.fields import UploadField
from webjobs.forms.webjobs import PolicyForm, ScheduleForm
from webjobs.models import Package, WebJob
from webjobs.runner.settings_job import SettingsError, parse_settings
from webjobs.states import Concurrency, RetryOn
from webjobs.telling import told

SALT = "webjobs.edit"
# What is typed goes with it, also when the page is opened again later.
BEGAN = {"data-began": ""}
# Seconds between the review of an uploaded package and its use.
PACKAGE_LASTS = 24 * 3600
_SCHEDULE = ("cron", "time_zone", "is_enabled")
_POLICY = tuple(PolicyForm.base_fields)
MULTI, SINGLE = "multi", "single"
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

    script = forms.CharField(max_length=1024, required=False, widget=forms.Select)
    scale = forms.ChoiceField(
        choices=[
            (MULTI, gettext_lazy("Multi Instance")),
            (SINGLE, gettext_lazy("Single Instance")),
        ],
        required=False,
    )
    is_in_place = forms.ChoiceField(choices=_YES_NO, required=False)
    stopping_wait_time = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    other = forms.CharField(
        required=False,
        max_length=256 * 1024,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
    )
    file = UploadField(required=False)
    package = forms.CharField(required=False, widget=forms.HiddenInput)
    base = forms.CharField(widget=forms.HiddenInput(BEGAN))
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput(BEGAN))

    def __init__(self, *args: Any, job: WebJob, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.job = job
        for name in (*_SCHEDULE, *_POLICY) if job.is_continuous else ():
            del self.fields[name]
        # As in Add: seen, and not to be chosen.
        self.fields["scale"].disabled = not (job.is_continuous and job.slot.app.can_scale)
        self.fields["scale"].initial = SINGLE if job.is_continuous and job.runs_once else MULTI
        self.offer(job.package, job.script)
        if "retry_on" in self.fields:
            self.fields["retry_on"].widget = forms.CheckboxSelectMultiple(
                choices=PolicyForm.base_fields["retry_on"].choices  # type: ignore[attr-defined]
            )

    def offer(self, package: Package, chosen: str) -> None:
        """Let one of the scripts of `package` be chosen; none is offered when it has only one."""
        scripts = package.candidates if len(package.candidates) > 1 else []
        field = self.fields["script"]
        field.initial = chosen
        field.widget.choices = [(each, each) for each in scripts]

    @property
    def offers_scripts(self) -> bool:
        return bool(self.fields["script"].widget.choices)

    @classmethod
    def begun(cls, job: WebJob, seen: str) -> EditForm:
        """As `job` is now."""
        schedule = getattr(job, "schedule", None)
        values: dict[str, Any] = {name: getattr(job, name) for name in _POLICY}
        values["concurrency"] = job.concurrency or Concurrency.SKIP
        if job.retry_on is None:
            values["retry_on"] = [item.value for item in RetryOn]
        values["is_in_place"] = {None: "", True: "true", False: "false"}[job.is_in_place]
        values |= {
            "script": job.script,
            "cron": schedule.expression if schedule else "",
            "time_zone": schedule.time_zone if schedule else "",
            "is_enabled": schedule.is_enabled if schedule else True,
            "stopping_wait_time": job.stopping_wait_time,
            "other": json.dumps(job.extra_settings, indent=2) if job.extra_settings else "",
            "seen": seen,
        }
        values["base"] = json.dumps([job.settings_job, values["is_enabled"], job.script])
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

    def clean_base(self) -> tuple[dict[str, Any], bool, str]:
        try:
            settings, is_enabled, script = json.loads(self.cleaned_data["base"])
            return dict(settings), bool(is_enabled), str(script)
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
        if package := self.cleaned_data.get("package"):
            self.offer(package, self.job.script_in(package))
        return super().clean() if "retry_attempts" in self.fields else self.cleaned_data

    @property
    def changed(self) -> tuple[dict[str, Any], bool | None]:
        """The keys of settings.job that the editor changed, and the switch if that was."""
        base, was_enabled, _script = self.cleaned_data["base"]
        wanted = self._wanted()
        changed = {key: value for key, value in wanted.items() if value != base.get(key)}
        extra = self.cleaned_data["other"]
        changed |= {key: value for key, value in extra.items() if value != base.get(key)}
        changed |= dict.fromkeys(base.keys() - extra.keys() - set(_KNOWN))
        is_enabled = self.cleaned_data.get("is_enabled")
        return changed, None if is_enabled in (None, was_enabled) else is_enabled

    @property
    def chosen_script(self) -> str | None:
        """The script that the editor chose; None leaves the choice as it is."""
        chosen: str = self.cleaned_data["script"]
        is_new = self.cleaned_data["package"] is not None
        _settings, _is_enabled, was = self.cleaned_data["base"]
        return chosen if chosen and (is_new or chosen != was) else None

    def _wanted(self) -> dict[str, Any]:
        values = self.cleaned_data
        wanted = {"stopping_wait_time": values["stopping_wait_time"]}
        wanted["is_in_place"] = {"": None, "true": True, "false": False}[values["is_in_place"]]
        if not self.fields["scale"].disabled:
            wanted["is_singleton"] = self._is_singleton(values["scale"])
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

    def _is_singleton(self, scale: str) -> bool | None:
        """What is as by default stays unsaid."""
        base, _is_enabled, _script = self.cleaned_data["base"]
        is_unsaid = scale == MULTI and base.get("is_singleton") is None
        return None if is_unsaid else scale == SINGLE


_KNOWN = ("schedule", "time_zone", "is_singleton", "is_in_place", "stopping_wait_time", *_POLICY)
