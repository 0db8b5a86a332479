"""What people ask for when they start debugging becomes typed values here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import ngettext

from webjobs.models.debugging import DEFAULT_MINUTES

_CHOICES = (5, 15, 30, 60)


class DebugForm(forms.Form):
    """For how many minutes."""

    minutes = forms.TypedChoiceField(coerce=int, initial=DEFAULT_MINUTES)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["minutes"]
        if isinstance(field, forms.TypedChoiceField):
            field.choices = [
                (count, ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count})
                for count in _CHOICES
            ]
