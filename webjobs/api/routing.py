"""Addresses whose case does not matter, as on Azure."""

from __future__ import annotations

import re

from django.urls import URLPattern
from django.urls.resolvers import RegexPattern

from webjobs.api.surface import View


class _AnyCase(RegexPattern):
    """Django finds addresses by (?i) too, but can then no longer make any from their names."""

    def __init__(self, pattern: str, name: str) -> None:
        super().__init__(pattern, name=name, is_endpoint=True)
        self.__dict__["regex"] = re.compile(pattern, re.IGNORECASE)


def route(pattern: str, view: View, name: str) -> URLPattern:
    """The whole address is `pattern`, with or without a slash at the end."""
    return URLPattern(_AnyCase(rf"^{pattern}/?$", name), view, None, name)
