"""What a run is started with, and which runs are looked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from webjobs.runner.interpreters import ArgumentsError, split_arguments
from webjobs.telling import told


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
