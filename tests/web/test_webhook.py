"""The webhook of a connected repository, as GitHub, GitLab and Gitea call it."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http.response import HttpResponseBase
from django.test import TestCase
from django.utils import timezone

from tests.web.objects import make_slot
from webjobs.deploying import webhook
from webjobs.models import Deployment, SourceConnection, Throttle
from webjobs.states import DeploymentStatus

URL = "/scm/demo/deploy"
COMMIT = "1" * 40
PUSH = {"ref": "refs/heads/main", "after": COMMIT}


class WebhookTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        self.source = SourceConnection.objects.create(
            slot=self.slot, url="https://host.invalid/x.git", branch="main", by_name="alice"
        )

    def signed(self, body: bytes, secret: str = "") -> str:
        key = (secret or self.source.webhook_secret).encode()
        return hmac.new(key, body, hashlib.sha256).hexdigest()

    def send(
        self, body: bytes, url: str = URL, type: str = "application/json", **headers: str
    ) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer: HttpResponseBase = self.client.generic("POST", url, body, type, headers=named)
        return answer

    def github(self, payload: Any = PUSH, event: str = "push", **more: Any) -> Any:
        body = json.dumps(payload).encode()
        signature = "sha256=" + self.signed(body)
        return self.send(body, X_Hub_Signature_256=signature, X_GitHub_Event=event, **more)

    def count(self) -> int:
        return Deployment.objects.count()

    def test_github_is_answered_202_and_a_deployment_waits(self) -> None:
        response = self.github()
        self.assertEqual(response.status_code, 202)
        self.assertIn(b"follows", response.content)
        found = Deployment.objects.get()
        self.assertEqual((found.status, found.trigger), ("Pending", "webhook"))

    def test_github_with_a_form(self) -> None:
        body = urlencode({"payload": json.dumps(PUSH)}).encode()
        response = self.send(
            body, type="application/x-www-form-urlencoded", X_GitHub_Event="push",
            X_Hub_Signature_256="sha256=" + self.signed(body),
        )  # fmt: skip
        self.assertEqual(response.status_code, 202)

    def test_gitea(self) -> None:
        body = json.dumps(PUSH).encode()
        headers = {"X_Gitea_Signature": self.signed(body), "X_Gitea_Event": "push"}
        self.assertEqual(self.send(body, **headers).status_code, 202)

    def test_gitlab(self) -> None:
        body = json.dumps(PUSH).encode()
        headers = {"X_Gitlab_Token": self.source.webhook_secret, "X_Gitlab_Event": "Push Hook"}
        self.assertEqual(self.send(body, **headers).status_code, 202)

    def test_a_wrong_or_missing_signature_is_refused(self) -> None:
        body = json.dumps(PUSH).encode()
        for headers in (
            {},
            {"X_Hub_Signature_256": "sha256=" + self.signed(body, "other")},
            {"X_Hub_Signature_256": "sha256=" + self.signed(body + b" ")},
            {"X_Hub_Signature_256": "sha256="},
            {"X_Hub_Signature_256": "é"},
            {"X_Gitea_Signature": self.signed(body, "other")},
            {"X_Gitlab_Token": "other"},
            {"X_Gitlab_Token": ""},
            # The one that is checked is the stronger one.
            {"X_Hub_Signature_256": "sha256=0", "X_Gitlab_Token": self.source.webhook_secret},
        ):
            with self.subTest(headers):
                response = self.send(body, **headers)
                self.assertEqual(response.status_code, 403)
                self.assertIn("signature", response.json()["Message"])
        self.assertEqual(self.count(), 0)

    def test_nobody_learns_whether_an_app_is_there_or_connected(self) -> None:
        body = json.dumps(PUSH).encode()
        known = self.send(body, X_Gitlab_Token="x")
        for url in ("/scm/none/deploy", "/scm/demo/slots/staging/deploy"):
            unknown = self.send(body, url, X_Gitlab_Token="x")
            self.assertEqual((unknown.status_code, unknown.content), (403, known.content))

    def test_other_branches_and_events_are_answered_and_left_alone(self) -> None:
        for payload, event, words in (
            ({**PUSH, "ref": "refs/heads/other"}, "push", b"Only the branch main"),
            ({**PUSH, "ref": "refs/tags/main"}, "push", b"Only the branch main"),
            ({**PUSH, "after": "0" * 40}, "push", b"was deleted"),
            ({"zen": "x"}, "ping", b"works"),
            ({}, "issues", b"Only pushes"),
        ):
            with self.subTest(event=event, payload=payload):
                response = self.github(payload, event)
                self.assertEqual(response.status_code, 200)
                self.assertIn(words, response.content)
        self.assertEqual(self.count(), 0)

    def test_sent_again_it_does_nothing_more(self) -> None:
        for _ in range(3):
            self.assertEqual(self.github().status_code, 202)
        self.assertEqual(self.count(), 1)
        Deployment.objects.update(status=DeploymentStatus.SUCCESS)
        SourceConnection.objects.update(commit=COMMIT)
        response = self.github()
        self.assertEqual((response.status_code, self.count()), (200, 1))
        self.assertIn(b"already", response.content)

    def test_what_is_no_push_is_refused(self) -> None:
        for body in (b"", b"[]", b"{", b'{"ref": 1}', b"\xff", b"[" * 100_000):
            with self.subTest(body[:10]):
                signature = "sha256=" + self.signed(body)
                response = self.send(body, X_Hub_Signature_256=signature)
                self.assertEqual(response.status_code, 400)

    def test_a_body_without_end_is_refused_before_it_is_read(self) -> None:
        body = b" " * (webhook.MAX_BODY + 1)
        self.assertEqual(self.send(body, X_Gitlab_Token="x").status_code, 413)

    def test_who_guesses_is_slowed_down(self) -> None:
        statuses = [self.send(b"{}", X_Gitlab_Token="x").status_code for _ in range(52)]
        self.assertEqual((statuses[0], statuses[-1]), (403, 429))
        self.assertEqual(self.github().status_code, 429)
        Throttle.objects.update(since=timezone.now() - timedelta(minutes=2))
        self.assertEqual(self.github().status_code, 202)

    def test_another_method_is_told_so(self) -> None:
        self.assertEqual(self.client.get(URL).status_code, 405)

    def test_a_slot_has_its_own(self) -> None:
        staging = make_slot("demo", "staging")
        other = SourceConnection.objects.create(
            slot=staging, url="https://host.invalid/y.git", branch="main", by_name="alice"
        )
        body = json.dumps(PUSH).encode()
        url = "/scm/demo/slots/staging/deploy"
        wrong = self.send(body, url, X_Gitlab_Token=self.source.webhook_secret)
        self.assertEqual(wrong.status_code, 403)
        right = self.send(body, url, X_Gitlab_Token=other.webhook_secret)
        self.assertEqual(right.status_code, 202)
        self.assertEqual(Deployment.objects.get().slot, staging)
