"""The portal's addresses, and two that go wrong."""

from __future__ import annotations

from typing import NoReturn

from django.db import OperationalError
from django.http import HttpRequest
from django.urls import path

from portal.urls import handler400, handler403, handler404, handler500
from portal.urls import urlpatterns as portal

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def _fault(request: HttpRequest) -> NoReturn:
    raise RuntimeError("A fault, to see its page")


def _unavailable(request: HttpRequest) -> NoReturn:
    raise OperationalError("No database, to see its page")


urlpatterns = [path("fails/500", _fault), path("fails/503", _unavailable), *portal]
