"""The pages for what went wrong, also when nothing can be read from the database."""

from __future__ import annotations

from typing import Any
from unittest import mock

from django.db import OperationalError, connection

from tests.web.pages import JSON, PagesTestCase

URL = "/apps/demo/webjobs/"


def _gone(*arguments: Any) -> None:
    raise OperationalError("connection refused")


class ServerErrorTests(PagesTestCase):
    def setUp(self) -> None:
        self.client.raise_request_exception = False
        self.client.force_login(self.alice)

    def broken(self, **headers: str) -> Any:
        fails = mock.patch("webjobs.views.webjobs.Rows", side_effect=RuntimeError("top-secret"))
        with fails, self.assertLogs("django.request", "ERROR"):
            return self.client.get(URL, headers=headers)

    def without_database(self, **headers: str) -> Any:
        with connection.execute_wrapper(_gone):
            return self.client.get(URL, headers=headers)

    def test_a_fault_is_told_in_words_and_without_details(self) -> None:
        page = self.broken()
        self.assertContains(page, "Something went wrong in the portal.", status_code=500)
        self.assertContains(page, "alice", status_code=500)
        self.assertNotContains(page, "top-secret", status_code=500)
        error = self.broken(**JSON).json()["error"]
        self.assertIn("Something went wrong", error)

    def test_without_its_database_the_portal_says_so(self) -> None:
        page = self.without_database()
        self.assertContains(page, "cannot use its database", status_code=503)
        self.assertNotContains(page, "connection refused", status_code=503)
        error = self.without_database(**JSON).json()["error"]
        self.assertIn("cannot use its database", error)
        self.assertContains(self.client.get(URL), "alice")

    def test_it_says_so_in_french(self) -> None:
        page = self.without_database(accept_language="fr")
        self.assertContains(page, "base de données", status_code=503)
