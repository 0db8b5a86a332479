"""A new app."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from webjobs.forms.fields import REQUIRED
from webjobs.models import App
from webjobs.models.app import validate_name


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
