"""Tables, columns and choices in the viewer's language.

Django names them after the models and their fields, in English; the catalogues have those names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Field, Model
from django.utils.functional import lazy
from django.utils.translation import gettext, gettext_lazy


def filled(text: str, **values: object) -> str:
    """`text` with its places filled in the reader's language; `%` alone would fill it at once."""
    return lazy(lambda: gettext(text) % values, str)()


def translate(models: Iterable[type[Model]]) -> None:
    """Show the names of `models` as the catalogues have them; migrations see no change."""
    for model in models:
        meta = model._meta
        meta.verbose_name = gettext_lazy(str(meta.verbose_name))
        meta.verbose_name_plural = gettext_lazy(str(meta.verbose_name_plural))
        for field in meta.fields:
            _translate_field(field)


def _translate_field(field: Field[Any, Any]) -> None:
    field.verbose_name = gettext_lazy(str(field.verbose_name))
    if field.help_text:
        field.help_text = gettext_lazy(str(field.help_text))
    if field.choices:
        field.choices = [(value, gettext_lazy(str(word))) for value, word in field.flatchoices]
