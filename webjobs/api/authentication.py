"""Who calls: the `Authorization` header and nothing else, never a cookie."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone

from webjobs.access import Caller, address_of
from webjobs.api import access_tokens
from webjobs.models import ApiToken, Role, Slot, Throttle
from webjobs.models.fields import SecretUnreadable
from webjobs.models.throttle import key_of
from webjobs.models.token import digest_of

# Failures within a minute: of one name from one address, and of one address with any name.
NAME_LIMIT = 10
ADDRESS_LIMIT = 50
# Compared with when there is nothing to compare with, so that an unknown app takes as long.
_NOBODY = secrets.token_urlsafe(45)
# No name or secret of ours is longer.
_MAX_LENGTH = 8192


class NotAuthenticated(Exception):
    """Nobody is named, or the secret is wrong."""


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
    return check(request, credentials_of(request), app, slot)


def check(request: HttpRequest, shown: Credentials, app: str | None, slot: str) -> Caller:
    """The same for credentials that came another way than in the header."""
    now = timezone.now()
    address = address_of(request) or ""
    limits = {
        key_of("name", address, shown.name.lower()): NAME_LIMIT,
        key_of("address", address): ADDRESS_LIMIT,
    }
    if seconds := Throttle.wait(limits, now):
        raise Throttled(seconds)
    # Azure writes `app\$app` too.
    name = shown.name.rpartition("\\")[2]
    if name.startswith("$"):
        caller = _publisher(name, shown.secret, app, slot)
    else:
        caller = _person(shown, request)
    if caller is None:
        Throttle.count(limits, now)
        raise NotAuthenticated
    return caller


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
    slots = Slot.objects.select_related("app")
    try:
        return slots.filter(app__name__iexact=app, name__iexact=slot).first()
    except SecretUnreadable:
        return None


def _person(shown: Credentials, request: HttpRequest) -> Caller | None:
    now = timezone.now()
    digest = access_tokens.digest_in(shown.secret, time.time()) if not shown.name else None
    token = token_of(digest or digest_of(shown.secret))
    if token is None:
        return None
    name = token.user.get_username()
    if shown.name and shown.name.lower() != name.lower():
        return None
    token.record_use(now, address_of(request))
    return Caller(name=name, user=token.user, app_id=token.app_id, most=Role(token.most))


def token_of(digest: str) -> ApiToken | None:
    """The valid token with this digest. A search by hash tells nothing about the secret."""
    return (
        ApiToken.objects.valid(timezone.now()).select_related("user").filter(digest=digest).first()
    )
