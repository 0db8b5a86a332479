"""What several forms share: checks of single values, and the words for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webjobs import ncrontab, packages, timezones
from webjobs.runner.package import PackageError
from webjobs.telling import told

BaseForm = forms.BaseForm


REQUIRED = gettext_lazy("This field is required")


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
