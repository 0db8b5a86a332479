"""Kudu's process explorer: what the rows tell of the processes of WebJobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.api.calling import ApiTestCase, basic, make_copy
from tests.web.objects import make_instance, make_job, make_run, make_slot
from webjobs.models import Instance
from webjobs.states import CopyStatus, JobType, RunStatus

PROCESSES = "/scm/demo/api/processes"


class ProcessTests(ApiTestCase):
    def setUp(self) -> None:
        self.one, self.two = make_instance("one"), make_instance("two")
        self.nightly = make_job(self.slot)
        self.listener = make_job(self.slot, "listener", type=JobType.CONTINUOUS)

    def execute(self, instance: Instance, pid: int | None, **values: Any) -> None:
        facts: dict[str, Any] = {"status": RunStatus.RUNNING, "epoch": instance.epoch} | values
        make_run(self.nightly, instance=instance, pid=pid, script="bin/run.sh", **facts)

    def test_they_are_those_of_runs_and_copies_on_all_instances(self) -> None:
        make_copy(self.listener, instance=self.one, pid=7)
        make_copy(self.listener, CopyStatus.STOPPING, instance=self.two, pid=8)
        self.execute(self.two, 9, started_at=timezone.now())
        found = self.get(PROCESSES).json()
        self.assertEqual(
            [(p["id"], p["instance"]) for p in found], [(7, "one"), (8, "two"), (9, "two")]
        )
        self.assertEqual(found[0]["description"], "WebJob: listener, Type: continuous")
        self.assertEqual(found[2]["description"], "WebJob: nightly, Type: triggered")
        self.assertEqual(found[2]["name"], "run.sh")
        self.assertTrue(found[2]["is_webjob"])
        self.assertIsNone(found[0]["run_url"])
        self.assertIn("/api/triggeredwebjobs/nightly/history/", found[2]["run_url"])

    def test_each_is_found_by_its_address_under_every_prefix(self) -> None:
        make_copy(self.listener, instance=self.one, pid=7)
        make_copy(self.listener, instance=self.two, pid=7)
        for process in self.get(PROCESSES).json():
            path = process["href"].removeprefix("http://testserver")
            self.assertEqual(self.get(path).json(), process)
        for path in ("api/processes", "api/diagnostics/processes", "diagnostics/PROCESSES"):
            self.assertEqual(len(self.get(f"/scm/demo/{path}").json()), 2)
            self.assertEqual(self.get(f"/scm/demo/{path}/7").json()["instance"], "one")

    def test_unknown_ones_are_404_with_a_document(self) -> None:
        make_copy(self.listener, instance=self.one, pid=7)
        for end in ("8", "x", "0", f"7?instance={self.two.key}", "7?instance=%00"):
            response = self.get(f"{PROCESSES}/{end}")
            self.assertEqual((response.status_code, response.json()["Code"]), (404, "NotFound"))

    def test_what_has_no_process_any_more_is_left_out(self) -> None:
        past = timezone.now() - timedelta(hours=1)
        gone = make_instance("gone")
        Instance.objects.filter(pk=gone.pk).update(heartbeat_at=past)
        anew = make_instance("anew")
        Instance.objects.filter(pk=anew.pk).update(epoch=2)
        make_copy(self.listener, instance=gone, pid=7)
        make_copy(self.listener, instance=anew, pid=7)
        make_copy(self.listener, CopyStatus.PENDING_RESTART, instance=self.one, pid=7)
        make_copy(self.listener, CopyStatus.STARTING, instance=self.two, pid=7)
        self.execute(self.one, 7, status=RunStatus.SUCCESS)
        self.assertEqual(self.get(PROCESSES).json(), [])
        # Its worker is older than this field.
        self.execute(self.one, None)
        self.assertEqual(self.get(PROCESSES).json(), [])

    def test_those_of_other_slots_are_not_told_of(self) -> None:
        staging = make_slot(slot="staging")
        make_copy(make_job(staging, type=JobType.CONTINUOUS), instance=self.one, pid=7)
        self.assertEqual(self.get(PROCESSES).json(), [])
        auth = basic(staging.publishing_user, staging.publishing_password)
        found = self.get("/scm/demo/slots/staging/api/processes", auth=auth).json()
        self.assertEqual(found[0]["id"], 7)

    def test_readers_see_them_strangers_and_nobody_do_not(self) -> None:
        self.assertEqual(self.get(PROCESSES, auth=self.of(self.reader)).status_code, 200)
        self.assertEqual(self.get(PROCESSES, auth=self.of(self.stranger)).status_code, 404)
        self.assertEqual(self.get(PROCESSES, auth="").status_code, 401)

    def test_they_cannot_be_ended_here_and_the_answer_says_how(self) -> None:
        make_copy(self.listener, instance=self.one, pid=7)
        response = self.delete(f"{PROCESSES}/7")
        self.assertEqual((response.status_code, response["Allow"]), (405, "GET, HEAD, OPTIONS"))
        self.assertIn("Stop the run", response.json()["Message"])
