"""The tokens that the token endpoint hands out for an API token: JWTs that only this portal reads.

Each is as good as the API token behind it, which is looked at whenever it is used.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import uuid
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from webjobs.models import ApiToken

LIFETIME = 3600  # seconds
_HEADER = {"alg": "HS256", "typ": "JWT"}
_SALT = "webjobs access token"
# A longer one was not made here.
_MAX_LENGTH = 4096


def portal_id(what: str) -> str:
    """A UUID that stays the same for this portal: its `tenant` or its `subscription`."""
    digest = salted_hmac("webjobs portal", what, algorithm="sha256").digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def issue(token: ApiToken, audience: str, issuer: str, now: float) -> str:
    """A JWT that is good for LIFETIME seconds, as long as `token` is valid."""
    claims = {
        "aud": audience,
        "iss": issuer,
        "iat": int(now),
        "nbf": int(now),
        "exp": int(now) + LIFETIME,
        "tid": portal_id("tenant"),
        "appid": token.user.get_username(),
        "oid": portal_id(f"user {token.user_id}"),
        "sub": portal_id(f"user {token.user_id}"),
        "jti": token.digest,
        "ver": "1.0",
    }
    signed = f"{_encode(_HEADER)}.{_encode(claims)}"
    return f"{signed}.{_base64(_signature(signed, settings.SECRET_KEY))}"


def digest_in(text: str, now: float) -> str | None:
    """The digest of the API token behind an access token of ours; None for anything else."""
    signed, _, signature = text.rpartition(".")
    if len(text) > _MAX_LENGTH or signed.count(".") != 1 or not signed.isascii():
        return None
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    expected = [_base64(_signature(signed, key)) for key in keys]
    if not any(hmac.compare_digest(signature.encode(), good.encode()) for good in expected):
        return None
    header, claims = (_decode(part) for part in signed.split("."))
    if header != _HEADER or not claims["nbf"] - 60 <= now < claims["exp"]:
        return None
    return str(claims["jti"])


def _signature(signed: str, key: str | bytes) -> bytes:
    return salted_hmac(_SALT, signed, secret=key, algorithm="sha256").digest()


def _encode(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> dict[str, Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
