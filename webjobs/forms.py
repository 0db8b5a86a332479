"""What people type or upload becomes typed values here, or a message beside the field."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webjobs import ncrontab, packages, timezones
from webjobs.models import App, AppSetting, Slot, WebJob, engine_settings
from webjobs.models.app import validate_name
from webjobs.models.setting import SettingError
from webjobs.models.webjob import NAME_MAX_LENGTH
from webjobs.runner.interpreters import ArgumentsError, split_arguments
from webjobs.runner.package import PackageError
from webjobs.runner.settings_job import LIMITS
from webjobs.states import Concurrency, JobType, RetryOn
from webjobs.telling import told

BaseForm = forms.BaseForm
REQUIRED = gettext_lazy("This field is required")
SETTING_NAME = re.compile(r"[A-Za-z0-9._:\-]+\Z")
STAYS_SECRET = gettext_lazy(
    "What was secret is never shown again: without the mark it needs a new value."
)
# As long as the longest environment string that Linux passes on, with room for the name.
SETTING_VALUE_MAX = 100_000
PASSWORD_MIN = 12


def errors_of(form: BaseForm) -> dict[str, list[str]]:
    """The messages by field; `__all__` has those of the form as a whole."""
    return {name: [str(message) for message in found] for name, found in form.errors.items()}


def checked_upload(file: UploadedFile[bytes]) -> packages.Upload:
    """The package in an uploaded file; raises ValidationError saying what is wrong with it."""
    if not isinstance(file, TemporaryUploadedFile):
        raise ValidationError(_("The upload did not reach the disk. Try again."))
    try:
        return packages.check_upload(Path(file.temporary_file_path()), file.name or "")
    except PackageError as error:
        raise ValidationError(told(error), code=error.code) from error


def checked_expression(text: str) -> str:
    """NCRONTAB with six fields; raises ValidationError naming the field."""
    try:
        return ncrontab.parse(text).text
    except ncrontab.NcrontabError as error:
        raise ValidationError(told(error), code=error.code) from error


def checked_zone(name: str) -> str:
    """An IANA or Windows name, or empty; raises ValidationError with the closest names."""
    if not name:
        return ""
    try:
        timezones.resolve(name)
    except timezones.UnknownTimeZone as error:
        raise ValidationError(told(error), code=error.code) from error
    return name.strip()


class UploadField(forms.FileField):
    """A file that becomes a checked package."""

    def clean(self, data: Any, initial: Any = None) -> packages.Upload | None:
        file = super().clean(data, initial)
        return checked_upload(file) if isinstance(file, UploadedFile) else None


class AppForm(forms.Form):
    """A new app."""

    name = forms.CharField(
        max_length=60, validators=[validate_name], error_messages={"required": REQUIRED}
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if App.objects.filter(name__iexact=name).exists():
            raise ValidationError(_("An app of this name exists already. Choose another name."))
        return name


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
        if self.is_scheduled:
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


class RunForm(forms.Form):
    """What a run is started with."""

    arguments = forms.CharField(max_length=8000, required=False, strip=False)

    def clean_arguments(self) -> str:
        text: str = self.cleaned_data["arguments"]
        try:
            split_arguments(text)
        except ArgumentsError as error:
            raise ValidationError(told(error), code=error.code) from error
        return text


class PeriodForm(forms.Form):
    """From when to when, in the zone of whoever reads it: dates, or dates with times.

    What is cleaned is None or a moment with a zone; the end of a day, or of a minute, is its end.
    """

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        # `from` cannot be the name of an attribute.
        for name in ("from", "to"):
            self.fields[name] = forms.CharField(max_length=40, required=False)

    def clean(self) -> dict[str, Any]:
        values = {name: self._moment(name) for name in ("from", "to")}
        start, end = values["from"], values["to"]
        if start is not None and end is not None and end <= start:
            self.add_error("to", _("The end is before the beginning."))
        return values

    def _moment(self, name: str) -> datetime | None:
        text: str = self.cleaned_data.get(name, "")
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
            if name == "to":
                moment += timedelta(days=1) if len(text) <= 10 else timedelta(minutes=1)
            local = moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            self.add_error(name, _("Write it as 2026-03-01 or 2026-03-01T14:30."))
            return None


class PasswordForm(forms.Form):
    """A new webhook password; empty asks for a generated one."""

    password = forms.CharField(required=False, max_length=200, min_length=PASSWORD_MIN)


class SettingForm(forms.Form):
    """One app setting, added or changed."""

    name = forms.CharField(max_length=255, error_messages={"required": REQUIRED})
    value = forms.CharField(
        required=False, strip=False, max_length=SETTING_VALUE_MAX, widget=forms.Textarea
    )
    keep_value = forms.BooleanField(required=False)
    is_slot_setting = forms.BooleanField(required=False)
    is_secret = forms.BooleanField(required=False)
    seen = forms.CharField(required=False)

    def __init__(
        self, *args: Any, slot: Slot, setting: AppSetting | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.slot = slot
        self.setting = setting

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not SETTING_NAME.match(name):
            raise ValidationError(
                _(
                    "A name can only contain letters, numbers, periods, hyphens, colons and "
                    "underscores."
                )
            )
        others = AppSetting.objects.filter(slot=self.slot, name__iexact=name)
        if self.setting is not None:
            others = others.exclude(pk=self.setting.pk)
        if others.exists():
            raise ValidationError(_("App setting names must be unique"))
        return name

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if self.setting is not None and values.get("keep_value"):
            values["value"] = self.setting.value
            if self.setting.is_secret and not values["is_secret"]:
                self.add_error("value", STAYS_SECRET)
        if "\0" in values.get("value", ""):
            self.add_error("value", _("A value cannot contain a null character."))
        if "name" in values and "value" in values:
            self._clean_meaning(values["name"], values["value"])
        return values

    def _clean_meaning(self, name: str, value: str) -> None:
        """What steers the engine must mean something to it."""
        try:
            engine_settings({name: value})
        except SettingError as error:
            self.add_error("value", told(error))
