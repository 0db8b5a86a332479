"""Who calls: the `Authorization` header and nothing else, never a cookie."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import CharField, DateTimeField
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone

from webjobs.access import Caller, address_of
from webjobs.api import access_tokens
from webjobs.models import ApiToken, Role, Slot, Throttle
from webjobs.models.fields import SecretUnreadable
from webjobs.models.prepared import Given, PreparedQuery
from webjobs.models.throttle import key_of
from webjobs.models.token import digest_of

T = TypeVar("T")

# Failures within a minute: of one name from one address, and of one address with any name.
NAME_LIMIT = 10
ADDRESS_LIMIT = 50
NO_APP = (
    "Publishing credentials open the addresses of their own app only. "
    "Use a user name and an API token here."
)
# Compared with when there is nothing to compare with, so that an unknown app takes as long.
_NOBODY = secrets.token_urlsafe(45)
# No name or secret of ours is longer.
_MAX_LENGTH = 8192

_SLOT = PreparedQuery(
    lambda: (
        Slot.objects.living()
        .select_related("app")
        .alias(lower=Lower("name"), app_lower=Lower("app__name"))
        .filter(app_lower=Lower(Given("app", CharField())), lower=Lower(Given("slot", CharField())))
    )
)
_TOKEN = PreparedQuery(
    lambda: (
        ApiToken.objects.valid(Given("now", DateTimeField()))
        .filter(digest=Given("digest", CharField()))
        .select_related("user")
        .order_by()
    )
)


class NotAuthenticated(Exception):
    """Nobody is named, or the secret is wrong; where words are given they say more."""


class Throttled(Exception):
    """Signing in failed too often; `seconds` until another try is looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True)
class Credentials:
    """What a client shows: `name` is empty for Bearer."""

    name: str
    secret: str


def credentials_of(request: HttpRequest) -> Credentials:
    """What the `Authorization` header says; raises NotAuthenticated."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    value = value.strip()
    if not value or len(value) > _MAX_LENGTH:
        raise NotAuthenticated
    if scheme.lower() == "bearer":
        return Credentials("", value)
    if scheme.lower() != "basic":
        raise NotAuthenticated
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise NotAuthenticated from None
    name, colon, secret = text.partition(":")
    if not colon or not name or not secret or "\0" in text:
        raise NotAuthenticated
    return Credentials(name, secret)


def authenticate(request: HttpRequest, app: str | None, slot: str) -> Caller:
    """The caller of an address that belongs to a slot, or (`app` None) to none.

    Raises NotAuthenticated, or Throttled.
    """
    shown = credentials_of(request)
    # Azure writes `app\$app` too.
    name = shown.name.rpartition("\\")[2]
    if name.startswith("$"):
        if app is None:
            # Not even looked at, so it tells nothing about them, and counts as no failure.
            raise NotAuthenticated(NO_APP)
        return _tried(request, shown, lambda: _publisher(name, shown.secret, app, slot))
    token = sign_in(request, shown)
    user, most = token.user, Role(token.most)
    return Caller(name=user.get_username(), user=user, app_id=token.app_id, most=most)


def sign_in(request: HttpRequest, shown: Credentials) -> ApiToken:
    """The API token behind what a person's client shows. Raises NotAuthenticated, or Throttled."""
    token = _tried(request, shown, lambda: _token(shown))
    token.record_use(timezone.now(), address_of(request))
    return token


def _tried(request: HttpRequest, shown: Credentials, find: Callable[[], T | None]) -> T:
    """What `find` finds; that it found nothing is counted."""
    now = timezone.now()
    address = address_of(request) or ""
    limits = {
        key_of("name", address, shown.name.lower()): NAME_LIMIT,
        key_of("address", address): ADDRESS_LIMIT,
    }
    if seconds := Throttle.wait(limits, now):
        raise Throttled(seconds)
    found = find()
    if found is None:
        Throttle.count(limits, now)
        raise NotAuthenticated
    return found


def _publisher(name: str, password: str, app: str | None, slot: str) -> Caller | None:
    found = _slot(app, slot)
    expected = found.publishing_password if found else _NOBODY
    is_right = secrets.compare_digest(password.encode(), expected.encode())
    if found is None or not is_right or name.lower() != found.publishing_user.lower():
        return None
    return Caller(name=found.publishing_user, slot=found)


def _slot(app: str | None, slot: str) -> Slot | None:
    if app is None or "\0" in app + slot:
        return None
    try:
        return _SLOT.first(app=app, slot=slot)
    except SecretUnreadable:
        return None


def _token(shown: Credentials) -> ApiToken | None:
    """A search by hash tells nothing about the secret."""
    digest = access_tokens.digest_in(shown.secret, time.time()) if not shown.name else None
    token = _TOKEN.first(now=timezone.now(), digest=digest or digest_of(shown.secret))
    if token is None or shown.name.lower() not in ("", token.user.get_username().lower()):
        return None
    return token
