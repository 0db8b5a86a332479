"""A text column that is encrypted at rest."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

from webjobs.reasons import gettext_noop

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class SecretUnreadable(Exception):
    """A stored secret was written under another SECRET_KEY."""


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    def fernet(key: str) -> Fernet:
        derived = HKDF(SHA256(), 32, salt=None, info=b"webjobs secrets").derive(key.encode())
        return Fernet(base64.urlsafe_b64encode(derived))

    return MultiFernet([fernet(key) for key in keys])


def _current_cipher() -> MultiFernet:
    return _cipher((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def encrypt(text: str) -> str:
    """Fernet token (AES-128-CBC with HMAC-SHA256) under a key derived from SECRET_KEY."""
    return _current_cipher().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises SecretUnreadable when the token was written under an unknown key."""
    try:
        return _current_cipher().decrypt(token.encode()).decode()
    except InvalidToken as error:
        text = gettext_noop(
            "A stored secret cannot be read: SECRET_KEY has changed. Put the old key back, "
            "or enter the value again."
        )
        raise SecretUnreadable(text) from error


class EncryptedTextField(_TextField):
    """Text in Python, a Fernet token in the database; cannot be searched or compared there."""

    def get_prep_value(self, value: object) -> str | None:
        return None if value is None else encrypt(str(value))

    def from_db_value(
        self, value: str | None, expression: object, connection: BaseDatabaseWrapper
    ) -> str | None:
        return None if value is None else decrypt(value)
