"""Calls to a portal that really runs."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.support.portal import Portal


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Live:
    """A portal and a token of its operator."""

    portal: Portal
    secret: str

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        *,
        auth: str | None = None,
        **headers: str,
    ) -> Answer:
        basic = "Basic " + base64.b64encode(f"admin:{self.secret}".encode()).decode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = basic if auth is None else auth
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.portal.port, context=self.portal.trust, timeout=60
        )
        try:
            connection.request(method, path, body, named)
            found = connection.getresponse()
            return Answer(found.status, found.headers, found.read())
        finally:
            connection.close()

    def upload(self, path: str, body: bytes | Iterable[bytes], name: str, type: str) -> Answer:
        return self.call(
            "PUT", path, body, Content_Disposition=f"attachment; filename={name}", Content_Type=type
        )
