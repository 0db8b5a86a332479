"""Web hooks: who is told, how it is signed, and what happens when nobody answers."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.api.calling import ApiTestCase
from tests.support.engine import Engine, add_job, make_slot
from tests.web.objects import make_job, make_run
from tests.web.objects import make_slot as make_other_slot
from webjobs import dispatch, hooks
from webjobs.models import Hook, HookDelivery, Slot
from webjobs.models.hook import PAUSES
from webjobs.states import RunStatus

PATH = "/scm/demo/api/hooks"
EVENT = "TriggeredJobFinished"


@dataclass
class Receiver:
    """A web server that notes what it is sent."""

    url: str = ""
    status: int = 200
    location: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiver() -> Iterator[Receiver]:
    seen = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.requests.append((dict(self.headers), body))
            self.send_response(seen.status)
            if seen.location:
                self.send_header("Location", seen.location)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Nothing to say."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seen.url = f"http://127.0.0.1:{server.server_address[1]}/told?x=1"
        yield seen
        server.shutdown()


class HookApiTests(ApiTestCase):
    def add(self, url: str = "https://example.org/told", event: str = EVENT) -> Any:
        return self.post(PATH, data=json.dumps({"url": url, "event": event}).encode())

    def test_a_hook_is_added_once_and_its_secret_shown_once(self) -> None:
        first = self.add()
        self.assertEqual(first.status_code, 201)
        self.assertTrue(first.json()["secret"])
        again = self.add()
        self.assertEqual((again.status_code, again.json()["id"]), (201, first.json()["id"]))
        self.assertNotIn("secret", again.json())
        self.assertEqual(self.add(event="PostDeployment").status_code, 409)
        (listed,) = self.get(PATH).json()
        self.assertNotIn("secret", listed)
        self.assertEqual(self.get(f"{PATH}/{listed['id']}").json(), listed)

    def test_a_password_in_the_address_is_not_shown(self) -> None:
        response = self.add("https://user:pass-word@example.org/told")
        self.assertEqual(response.json()["url"], "https://example.org/told")

    def test_only_http_and_https_addresses_are_taken(self) -> None:
        for url in ("file:///etc/passwd", "gopher://x/", "example.org", "http://", "http://x:99999/",
                    "http://a b/", "http://é/", "http://[x/"):  # fmt: skip
            with self.subTest(url):
                self.assertEqual(self.add(url).status_code, 400)
        for body in (b"{}", b"[]", b'{"url":1,"event":"x"}', b'{"url":"http://x/","event":""}'):
            self.assertEqual(self.post(PATH, data=body).status_code, 400)
        self.assertFalse(Hook.objects.exists())

    def test_delete_is_200_also_for_what_is_not_there(self) -> None:
        id = self.add().json()["id"]
        for _ in range(2):
            self.assertEqual(self.delete(f"{PATH}/{id}").status_code, 200)
        self.assertEqual(self.get(f"{PATH}/{id}").status_code, 404)

    def test_hooks_of_another_slot_are_not_there(self) -> None:
        id = self.add().json()["id"]
        other = make_other_slot("demo", "staging")
        auth = self.of(self.contributor)
        path = f"/scm/demo/slots/{other.name}/api/hooks"
        self.assertEqual(self.get(path, auth=auth).json(), [])
        self.assertEqual(self.get(f"{path}/{id}", auth=auth).status_code, 404)

    def test_adding_is_for_contributors(self) -> None:
        self.assertEqual(self.post(PATH, data=b"{}", auth=self.of(self.operator)).status_code, 403)
        self.assertEqual(self.get(PATH, auth=self.of(self.reader)).status_code, 403)


class DeliveryTests(ApiTestCase):
    def setUp(self) -> None:
        context = receiver()
        self.receiver = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        url = self.receiver.url.replace("http://", "http://user:p%40ss@")
        self.hook, _ = dispatch.add_hook(
            self.slot, url, EVENT, dispatch.PORTAL, insecure_ssl=False, base="http://x"
        )

    def publish(self) -> HookDelivery:
        self.post(f"{PATH}/publish/{EVENT}", data=b'{"hello":"w\\u00f6rld"}')
        return HookDelivery.objects.get()

    def test_it_is_signed_and_carries_the_address_password(self) -> None:
        delivery = self.publish()
        hooks.deliver(delivery.pk)
        ((headers, body),) = self.receiver.requests
        self.assertEqual(json.loads(body), {"hello": "wörld"})
        good = hmac.new(self.hook.secret.encode(), body, hashlib.sha256).hexdigest()
        self.assertEqual(headers["X-WebJobs-Signature-256"], f"sha256={good}")
        self.assertEqual(headers["X-WebJobs-Event"], EVENT)
        self.assertEqual(headers["Authorization"], "Basic dXNlcjpwQHNz")
        (told,) = self.get(PATH).json()
        self.assertEqual((told["last_status"], told["last_reason"]), ("Success", None))

    def test_two_messages_make_one_call(self) -> None:
        delivery = self.publish()
        hooks.deliver(delivery.pk)
        hooks.deliver(delivery.pk)
        self.assertEqual(len(self.receiver.requests), 1)

    def test_a_failure_is_tried_again_with_growing_pauses_and_then_given_up(self) -> None:
        self.receiver.status = 500
        delivery = self.publish()
        for attempt in range(len(PAUSES) + 1):
            hooks.deliver(delivery.pk)
            hooks.deliver(delivery.pk)
            delivery.refresh_from_db()
            self.assertEqual(delivery.attempts, attempt + 1)
            self._let_time_pass(delivery)
        self.assertEqual(len(self.receiver.requests), len(PAUSES) + 1)
        self.assertIsNone(delivery.next_at)
        (entry,) = self.get(f"{PATH}/{self.hook.pk}/deliveries").json()
        self.assertEqual((entry["delivered"], entry["http_status"]), (False, 500))
        self.assertEqual(entry["reason"], "The receiver answered 500.")

    def _let_time_pass(self, delivery: HookDelivery) -> None:
        if delivery.next_at:
            self.assertGreater(delivery.next_at, timezone.now() + timedelta(seconds=5))
            HookDelivery.objects.update(next_at=timezone.now())

    def test_a_redirect_is_not_followed(self) -> None:
        self.receiver.status, self.receiver.location = 307, self.receiver.url + "&again=1"
        hooks.deliver(self.publish().pk)
        self.assertEqual(len(self.receiver.requests), 1)
        self.assertEqual(HookDelivery.objects.get().http_status, 307)

    def test_nobody_there_is_told_without_the_address(self) -> None:
        Hook.objects.filter(pk=self.hook.pk).update(url="http://user:geheim@127.0.0.1:1/")
        hooks.deliver(self.publish().pk)
        delivery = HookDelivery.objects.get()
        self.assertEqual(delivery.reason, "No answer: Connection refused")

    def test_old_deliveries_are_forgotten_and_due_ones_are_not(self) -> None:
        old, due = self.publish(), HookDelivery.objects.get()
        hooks.deliver(old.pk)
        due.pk, due.created_at = None, timezone.now() - timedelta(days=8)
        due.save(force_insert=True)
        HookDelivery.objects.filter(pk=old.pk).update(created_at=due.created_at)
        hooks.enqueue_due(timezone.now())
        self.assertEqual([delivery.pk for delivery in HookDelivery.objects.all()], [due.pk])

    def test_410_means_never_again(self) -> None:
        self.receiver.status = 410
        hooks.deliver(self.publish().pk)
        self.assertFalse(Hook.objects.exists())


class NeverStartedTests(ApiTestCase):
    """Who waits for the end of a run hears of it, though nothing has been executed."""

    def setUp(self) -> None:
        dispatch.add_hook(
            self.slot,
            "https://example.org/told",
            EVENT,
            dispatch.PORTAL,
            insecure_ssl=False,
            base="http://x/scm/demo",
        )
        self.job = make_job(self.slot)
        self.waiting = make_run(self.job, RunStatus.QUEUED)

    def assert_told(self, reason: str) -> None:
        told = json.loads(HookDelivery.objects.get().payload)
        self.assertEqual((told["id"], told["status"]), (str(self.waiting.number), "Aborted"))
        self.assertIn(reason, told["reason"])
        self.assertNotIn("output_url", told)

    def test_a_run_that_is_stopped(self) -> None:
        dispatch.stop_run(self.waiting, dispatch.PORTAL)
        self.assert_told("Stopped by")

    def test_a_run_whose_job_is_deleted(self) -> None:
        dispatch.delete(self.job, dispatch.PORTAL)
        self.assert_told("deleted by")

    def test_a_run_of_a_slot_that_is_stopped(self) -> None:
        dispatch.change_settings(
            self.slot, [dispatch.SettingChange("WEBJOBS_STOPPED", "1")], dispatch.PORTAL
        )
        self.assert_told("WEBJOBS_STOPPED")

    def test_a_run_that_has_ended_is_not_told_again(self) -> None:
        dispatch.stop_run(self.waiting, dispatch.PORTAL)
        dispatch.delete(self.job, dispatch.PORTAL)
        self.assertEqual(HookDelivery.objects.count(), 1)


@pytest.mark.parametrize(("script", "status"), [("true", "Success"), ("exit 3", "Failed")])
def test_the_end_of_a_run_is_told(
    transactional_db: None, broker: str, data_dir: Any, script: str, status: str
) -> None:
    slot: Slot = make_slot()
    engine = Engine(data_dir / "instance").start()
    try:
        with receiver() as seen:
            dispatch.add_hook(
                slot, seen.url, EVENT, dispatch.PORTAL, insecure_ssl=False, base="http://x/scm/demo"
            )
            run = engine.run(add_job(slot, script))
            hooks.deliver(HookDelivery.objects.get().pk)
            ((_, body),) = seen.requests
    finally:
        engine.close()
    told = json.loads(body)
    assert (told["id"], told["status"], told["job_name"]) == (str(run.number), status, "job")
    assert told["url"] == f"http://x/scm/demo/api/triggeredwebjobs/job/history/{run.number}"
    assert "end_time" in told
