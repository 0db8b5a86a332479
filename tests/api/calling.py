"""Calling the API through Django's client, as clients of Azure do."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.http.response import HttpResponseBase
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from tests.web.objects import make_instance, make_member, make_slot
from webjobs.models import ApiToken, App, Copy, Instance, Role, Slot, WebJob
from webjobs.states import CopyStatus

SUB = "11111111-2222-3333-4444-555555555555"


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def token_for(user: User, most: Role = Role.CONTRIBUTOR, app: App | None = None) -> str:
    """The secret of a new token of `user`."""
    return ApiToken.issue(user, "test", most, app=app)[1]


def zip_of(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def make_copy(
    job: WebJob, status: CopyStatus = CopyStatus.RUNNING, instance: Instance | None = None,
    **values: Any,
) -> Copy:  # fmt: skip
    return Copy.objects.create(
        job=job,
        instance=instance or make_instance(f"machine-{Instance.objects.count()}"),
        epoch=1,
        status=status,
        changed_at=timezone.now(),
        **values,
    )


class _Calls:
    """Requests to the app `demo`, with its publishing credentials unless told otherwise."""

    client: Any
    slot: Slot

    @property
    def publisher(self) -> str:
        return basic(self.slot.publishing_user, self.slot.publishing_password)

    def call(
        self, method: str, path: str, *, auth: str | None = None, **more: Any
    ) -> HttpResponseBase:
        """`auth` is the Authorization header; empty sends none."""
        header = self.publisher if auth is None else auth
        extra = {"HTTP_AUTHORIZATION": header} if header else {}
        extra |= {name: value for name, value in more.items() if name.startswith("HTTP_")}
        data = more.get("data", b"")
        type = more.get("content_type", "application/json")
        answer: HttpResponseBase = self.client.generic(method, path, data, type, **extra)
        return answer

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, **more: Any) -> Any:
        return self.call("POST", path, **more)

    def put(self, path: str, **more: Any) -> Any:
        return self.call("PUT", path, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.call("DELETE", path, **more)

    def upload(
        self, path: str, data: bytes, name: str = "job.zip", type: str = "application/zip"
    ) -> Any:
        disposition = f"attachment; filename={name}"
        return self.put(path, data=data, content_type=type, HTTP_CONTENT_DISPOSITION=disposition)


class ApiTestCase(_Calls, TestCase):
    """The app `demo` with a reader, an operator, a contributor and somebody without a role."""

    slot: Slot
    reader: User
    operator: User
    contributor: User
    stranger: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.slot = make_slot()
        app = cls.slot.app
        cls.reader = make_member(app, "rita", Role.READER)
        cls.operator = make_member(app, "otto", Role.OPERATOR)
        cls.contributor = make_member(app, "cora", Role.CONTRIBUTOR)
        cls.stranger = make_member(app, "sven", None)

    def of(self, user: User, most: Role = Role.CONTRIBUTOR) -> str:
        """The header of `user` with a new token."""
        return basic(user.get_username(), token_for(user, most))


class ApiTransactionTestCase(_Calls, TransactionTestCase):
    """Where commits matter."""

    def setUp(self) -> None:
        self.slot = make_slot()
