"""Who may call: publishing credentials, a user's token, and nobody by cookie."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection
from django.utils import timezone

from tests.api.calling import SUB, ApiTestCase, basic, token_for
from tests.web.objects import make_job, make_slot
from webjobs.dispatch import PORTAL, set_publishing_password
from webjobs.models import ApiToken, Role, Run, Throttle

JOBS = "/scm/demo/api/webjobs"
RUN = "/scm/demo/api/triggeredwebjobs/nightly/run"
ARM = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/demo/webjobs"
VERSION = "?api-version=2025-05-01"


def _failing(table: str, error: Exception) -> AbstractContextManager[None]:
    """Whatever asks the database for this table gets `error`."""

    def execute(run: Callable[..., Any], sql: str, *more: Any) -> Any:
        if f"webjobs_{table}" in sql:
            raise error
        return run(sql, *more)

    return connection.execute_wrapper(execute)


class PublisherTests(ApiTestCase):
    def test_the_webhook_password_opens_its_slot(self) -> None:
        self.assertEqual(self.get(JOBS).status_code, 200)
        name, secret = r"demo\$demo", self.slot.publishing_password
        self.assertEqual(self.get(JOBS, auth=basic(name, secret)).status_code, 200)
        self.assertEqual(self.get(JOBS, auth=basic("$DEMO", secret)).status_code, 200)

    def test_it_opens_no_other_app_and_no_other_slot(self) -> None:
        make_slot("other")
        make_slot("demo", "staging")
        for path in ("/scm/other/api/webjobs", "/scm/demo/slots/staging/api/webjobs"):
            self.assertEqual(self.get(path).status_code, 401)

    def test_a_changed_password_takes_effect_at_once(self) -> None:
        old = self.publisher
        set_publishing_password(self.slot, "another-password-1", PORTAL)
        self.assertEqual(self.get(JOBS, auth=old).status_code, 401)
        self.assertEqual(self.get(JOBS).status_code, 200)

    def test_a_webhook_starts_a_run_in_the_name_of_the_app(self) -> None:
        make_job(self.slot)
        response = self.post(RUN + "?arguments=one%20two", HTTP_USER_AGENT="curl/8.1")
        self.assertEqual(response.status_code, 202)
        run = Run.objects.get()
        self.assertEqual((run.arguments, run.trigger), ("one two", "webhook"))
        self.assertEqual(run.trigger_text, "External - curl/8.1")
        self.assertIsNone(run.requested_by)


class RefusalTests(ApiTestCase):
    def test_nobody_and_nonsense_are_401_with_a_challenge(self) -> None:
        name = self.slot.publishing_user
        headers = [
            "", "Basic", "Basic !!!", "Digest x", "Bearer", "Bearer a.b.c",
            "Basic " + base64.b64encode(b"\xff:\xff").decode(),
            "Basic " + base64.b64encode(b"no colon").decode(),
            basic(name, ""), basic(name, "wrong"), basic("$nobody", "wrong"),
        ]  # fmt: skip
        for header in headers:
            with self.subTest(header):
                Throttle.objects.all().delete()
                response = self.get(JOBS, auth=header)
                self.assertEqual(response.status_code, 401)
                self.assertEqual(response["WWW-Authenticate"], 'Basic realm="site"')

    def test_an_unknown_app_looks_the_same_as_a_wrong_password(self) -> None:
        known = self.get(JOBS, auth=basic("$demo", "wrong"))
        unknown = self.get("/scm/nothing/api/webjobs", auth=basic("$nothing", "wrong"))
        self.assertEqual((known.status_code, known.content), (unknown.status_code, unknown.content))

    def test_publishing_credentials_are_no_use_where_no_app_is_named(self) -> None:
        """Azure's Resource Manager takes them nowhere. It is no failure that could be throttled."""
        for path in ("/subscriptions", "/subscriptions/x/providers/Microsoft.Web/sites"):
            for auth in (self.publisher, basic("$demo", "wrong")):
                for _ in range(6):
                    response = self.get(path + VERSION, auth=auth)
                    self.assertEqual(response.status_code, 401)
                    self.assertIn("API token", response.json()["error"]["message"])
        self.assertEqual(self.get(JOBS).status_code, 200)
        self.assertFalse(Throttle.objects.exists())

    def test_cookies_never_count(self) -> None:
        make_job(self.slot)
        self.client.force_login(self.contributor)
        for path in (JOBS, ARM + VERSION):
            self.assertEqual(self.get(path, auth="").status_code, 401)
        self.assertEqual(self.post(RUN, auth="").status_code, 401)
        self.assertFalse(Run.objects.exists())

    def test_a_cookie_adds_nothing_to_a_reader(self) -> None:
        make_job(self.slot)
        self.client.force_login(self.contributor)
        self.assertEqual(self.post(RUN, auth=self.of(self.reader)).status_code, 403)

    def test_an_unknown_address_tells_nothing_before_signing_in(self) -> None:
        for path in ("/scm/demo/secret", "/scm/demo/api/command", "/subscriptions/x/y/z"):
            self.assertEqual(self.get(path, auth="").status_code, 401)
        auth = self.of(self.reader)
        for path in ("/scm/demo/secret", f"/subscriptions/x/y/z{VERSION}"):
            self.assertEqual(self.get(path, auth=auth).status_code, 404)

    def test_a_page_of_somebody_else_cannot_use_a_remembered_password(self) -> None:
        make_job(self.slot)
        for header in (
            {"HTTP_SEC_FETCH_SITE": "cross-site"},
            {"HTTP_SEC_FETCH_SITE": "same-site"},
            {"HTTP_ORIGIN": "https://evil.example"},
            {"HTTP_ORIGIN": "null"},
        ):
            with self.subTest(header):
                self.assertEqual(self.post(RUN, **header).status_code, 403)
        self.assertFalse(Run.objects.exists())
        self.assertEqual(self.post(RUN, HTTP_ORIGIN="http://testserver").status_code, 202)

    def test_no_origin_is_allowed_to_read(self) -> None:
        for response in (
            self.get(JOBS, HTTP_ORIGIN="https://evil.example"),
            self.call("OPTIONS", JOBS, auth="", HTTP_ORIGIN="https://evil.example"),
        ):
            self.assertNotIn("Access-Control-Allow-Origin", response.headers)

    def test_failures_are_throttled_and_a_right_password_waits_too(self) -> None:
        for _ in range(10):
            self.assertEqual(self.get(JOBS, auth=basic("$demo", "wrong")).status_code, 401)
        for auth in (basic("$demo", "wrong"), self.publisher):
            response = self.get(JOBS, auth=auth)
            self.assertEqual(response.status_code, 429)
            self.assertLessEqual(int(response["Retry-After"]), 61)
        other = self.get(JOBS, auth=self.of(self.reader))
        self.assertEqual(other.status_code, 200)
        Throttle.objects.update(since=timezone.now() - timedelta(minutes=2))
        self.assertEqual(self.get(JOBS).status_code, 200)

    def test_one_address_cannot_try_many_names(self) -> None:
        for index in range(50):
            self.get(JOBS, auth=basic(f"user{index}", "wrong"))
        self.assertEqual(self.get(JOBS).status_code, 429)
        self.assertEqual(self.get(ARM + VERSION, auth="Bearer wrong").status_code, 429)

    def test_a_database_that_is_away_is_503_without_a_trace(self) -> None:
        away = OperationalError("no such host db1")
        for table in ("throttle", "slot", "webjob"):
            with self.subTest(table), _failing(table, away):
                response = self.get(JOBS)
            self.assertEqual(response.status_code, 503, response.content)
            self.assertEqual(response["Retry-After"], "1")
            self.assertNotIn(b"db1", response.content)

    def test_a_fault_of_ours_is_500_without_a_trace(self) -> None:
        for path in (JOBS, ARM + VERSION):
            with (
                _failing("webjob", ZeroDivisionError("secret")),
                self.assertLogs("webjobs.api", "ERROR"),
            ):
                response = self.get(path)
            self.assertEqual(response.status_code, 500)
            self.assertNotIn(b"ZeroDivision", response.content)
            self.assertNotIn(b"secret", response.content)
            self.assertIn("Message", response.json())


class TokenTests(ApiTestCase):
    def test_a_token_opens_what_its_user_may(self) -> None:
        make_job(self.slot)
        for user, run, delete in (
            (self.reader, 403, 403),
            (self.operator, 202, 403),
            (self.contributor, 409, 200),
        ):
            auth = self.of(user)
            self.assertEqual(self.get(JOBS, auth=auth).status_code, 200)
            self.assertEqual(self.post(RUN, auth=auth).status_code, run)
            path = "/scm/demo/api/triggeredwebjobs/nightly"
            self.assertEqual(self.delete(path, auth=auth).status_code, delete)

    def test_a_stranger_finds_nothing(self) -> None:
        auth = self.of(self.stranger)
        for path in (JOBS, "/scm/nothing/api/webjobs", ARM + VERSION):
            self.assertEqual(self.get(path, auth=auth).status_code, 404)

    def test_a_token_allows_no_more_than_it_says(self) -> None:
        make_job(self.slot)
        auth = self.of(self.contributor, Role.READER)
        self.assertEqual(self.get(JOBS, auth=auth).status_code, 200)
        self.assertEqual(self.post(RUN, auth=auth).status_code, 403)

    def test_a_token_for_one_app_opens_no_other(self) -> None:
        other = make_slot("other")
        other.app.memberships.create(user=self.contributor, role=Role.CONTRIBUTOR)
        secret = token_for(self.contributor, app=other.app)
        auth = f"Bearer {secret}"
        self.assertEqual(self.get(JOBS, auth=auth).status_code, 404)
        self.assertEqual(self.get("/scm/other/api/webjobs", auth=auth).status_code, 200)

    def test_the_name_must_be_that_of_its_user(self) -> None:
        secret = token_for(self.contributor)
        self.assertEqual(self.get(JOBS, auth=basic("CORA", secret)).status_code, 200)
        self.assertEqual(self.get(JOBS, auth=basic("rita", secret)).status_code, 401)

    def test_expired_revoked_and_locked_out_is_401(self) -> None:
        token, secret = ApiToken.issue(self.reader, "mine")
        auth = basic("rita", secret)
        now = timezone.now()
        for change in ({"expires_at": now}, {"revoked_at": now}):
            ApiToken.objects.filter(pk=token.pk).update(**change)
            self.assertEqual(self.get(JOBS, auth=auth).status_code, 401)
            ApiToken.objects.filter(pk=token.pk).update(expires_at=None, revoked_at=None)
            self.assertEqual(self.get(JOBS, auth=auth).status_code, 200)
        self.reader.is_active = False
        self.reader.save()
        self.assertEqual(self.get(JOBS, auth=auth).status_code, 401)

    def test_the_secret_is_not_in_the_database_and_its_use_is(self) -> None:
        token, secret = ApiToken.issue(self.reader, "mine")
        self.get(JOBS, auth=basic("rita", secret))
        token.refresh_from_db()
        self.assertNotIn(secret, repr(token.__dict__))
        self.assertEqual(token.last_used_address, "127.0.0.1")
        self.assertIsNotNone(token.last_used_at)

    def test_its_use_is_written_down_once_a_minute_and_from_each_address(self) -> None:
        token, secret = ApiToken.issue(self.reader, "mine")

        def used(address: str = "127.0.0.1") -> tuple[datetime | None, str | None]:
            self.client.get(
                JOBS, REMOTE_ADDR=address, headers={"Authorization": f"Bearer {secret}"}
            )
            token.refresh_from_db()
            return token.last_used_at, token.last_used_address

        first = used()
        self.assertEqual(used(), first)
        self.assertEqual(used("192.0.2.7")[1], "192.0.2.7")
        long_ago = timezone.now() - timedelta(minutes=2)
        ApiToken.objects.update(last_used_at=long_ago)
        self.assertGreater(used("192.0.2.7")[0] or long_ago, long_ago)

    def test_a_password_is_no_token(self) -> None:
        self.assertEqual(self.get(JOBS, auth=basic("rita", "correct-horse-9")).status_code, 401)


class MethodTests(ApiTestCase):
    def test_options_tells_the_methods(self) -> None:
        response = self.call("OPTIONS", "/scm/demo/api/triggeredwebjobs/nightly", auth="")
        self.assertEqual(response.status_code, 204)
        self.assertEqual(response["Allow"], "DELETE, GET, HEAD, OPTIONS, PUT")
        self.assertNotIn("Content-Type", response.headers)

    def test_another_method_is_405_with_the_right_ones(self) -> None:
        response = self.get(RUN)
        self.assertEqual((response.status_code, response["Allow"]), (405, "OPTIONS, POST"))
        self.assertEqual(self.call("TRACE", JOBS).status_code, 405)
        self.assertEqual(self.post(ARM + VERSION).json()["error"]["code"], "MethodNotAllowed")

    def test_head_has_the_headers_of_get_and_no_body(self) -> None:
        make_job(self.slot)
        got, head = self.get(JOBS), self.call("HEAD", JOBS)
        self.assertEqual(head.status_code, 200)
        self.assertEqual(head.content, b"")  # type: ignore[attr-defined]
        self.assertEqual(head["ETag"], got["ETag"])
        self.assertEqual(int(head["Content-Length"]), len(got.content))
