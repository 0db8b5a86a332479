"""Pushing to an app, without a client: who may, what is refused, and what a push leaves."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.api.calling import ApiTestCase
from tests.support.repositories import git, make
from tests.web.objects import ALICE, make_setting, make_slot
from webjobs.models import AuditEntry, Deployment, SourceConnection, WebJob
from webjobs.runner import git_push

REFS = "/scm/demo/demo.git/info/refs?service=git-receive-pack"
PACK = "/scm/demo/demo.git/git-receive-pack"
JOB = "App_Data/jobs/triggered/nightly/run.sh"


def pushed(files: dict[str, str], ref: str = "refs/heads/main") -> bytes:
    """What git sends for a new repository with these files."""
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder) / "r", files)
        commit = git(made, "rev-parse", "HEAD")
        pack = subprocess.run(
            ["git", "pack-objects", "--revs", "--stdout", "-q"],
            input=b"main\n", cwd=made, capture_output=True, check=True,
        ).stdout  # fmt: skip
    line = f"{git_push.NOBODY} {commit} {ref}\0report-status side-band-64k".encode()
    return b"%04x%s0000%s" % (len(line) + 4, line, pack)


class AccessTests(ApiTestCase):
    def test_git_is_asked_for_a_password_and_told_that_nothing_is_there_yet(self) -> None:
        asked = self.get(REFS, auth="")
        self.assertEqual(asked.status_code, 401)
        self.assertTrue(asked["WWW-Authenticate"].startswith("Basic"))
        found = self.get(REFS)
        self.assertEqual(found["Content-Type"], git_push.ADVERTISEMENT_TYPE)
        self.assertIn(b"capabilities^{}", found.content)

    def test_only_contributors_may(self) -> None:
        self.assertEqual(self.get(REFS, auth=self.of(self.contributor)).status_code, 200)
        for user in (self.reader, self.operator):
            self.assertEqual(self.get(REFS, auth=self.of(user)).status_code, 403)
            self.assertEqual(self.post(PACK, auth=self.of(user)).status_code, 403)
        self.assertEqual(self.get(REFS, auth=self.of(self.stranger)).status_code, 404)
        self.assertEqual(self.get(REFS.replace("demo.git", "other.git")).status_code, 404)

    def test_a_slot_has_a_repository_of_its_own(self) -> None:
        url = REFS.replace("/demo/demo", "/demo/slots/staging/demo")
        make_slot("demo", "staging")
        self.assertEqual(self.get(url, auth=self.of(self.contributor)).status_code, 200)
        self.assertEqual(self.get(url).status_code, 401)

    def test_without_git_on_the_machine_it_says_so(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", "/nonexistent")
            response = self.get(REFS)
        self.assertEqual(response.status_code, 503)
        self.assertIn("git is not installed", response.json()["Message"])

    def test_with_a_connected_repository_nothing_is_taken(self) -> None:
        SourceConnection.objects.create(slot=self.slot, url="https://h/x", branch="main")
        response = self.get(REFS)
        self.assertEqual(response.status_code, 409)
        self.assertIn(b"takes no git push", response.content)
        self.assertEqual(self.post(PACK, data=pushed({JOB: "x"})).status_code, 409)

    def test_nothing_can_be_fetched(self) -> None:
        response = self.get(REFS.replace("receive", "upload"))
        self.assertEqual(response.status_code, 409)


class PushTests(ApiTestCase):
    def push(self, body: bytes) -> bytes:
        response = self.post(PACK, data=body, content_type="application/x-git-receive-pack-request")
        self.assertEqual(response.status_code, 200)
        return bytes(response.content)

    def test_a_push_is_a_deployment_and_recorded(self) -> None:
        answer = self.push(pushed({JOB: "echo"}))
        self.assertIn(b"ok refs/heads/main", answer)
        found = Deployment.objects.get()
        self.assertEqual((found.status, found.trigger, found.branch), ("Success", "push", "main"))
        self.assertEqual((found.author, found.by_name), ("Ada Example", "$demo"))
        self.assertTrue(AuditEntry.objects.filter(action="source.push").exists())

    def test_all_or_nothing(self) -> None:
        files = {JOB: "echo", "App_Data/jobs/triggered/bad/run.sh": "echo"}
        files["App_Data/jobs/triggered/bad/settings.job"] = '{"schedule": "never"}'
        answer = self.push(pushed(files))
        self.assertIn(b"ng refs/heads/main", answer)
        self.assertIn(b"triggered/bad: refused", answer)
        self.assertFalse(WebJob.objects.exists())
        found = Deployment.objects.get()
        self.assertEqual(found.status, "Failed")
        self.assertIn("none was", found.reason)

    def test_only_the_branch_of_the_setting(self) -> None:
        make_setting(self.slot, "DEPLOYMENT_BRANCH", "release")
        self.assertIn(b"allows only release", self.push(pushed({JOB: "echo"})))
        self.assertFalse(Deployment.objects.exists())
        self.assertIn(b"ok ref", self.push(pushed({JOB: "echo"}, "refs/heads/release")))

    def test_another_deployment_in_progress_is_waited_for(self) -> None:
        Deployment.objects.create(
            slot=self.slot, trigger="push", status="Deploying", by_name=ALICE.name,
            requested_at="2026-01-01T00:00:00Z",
        )  # fmt: skip
        self.assertIn(b"Another deployment is in progress", self.push(pushed({JOB: "echo"})))

    def test_a_deletion_is_refused(self) -> None:
        line = f"{'1' * 40} {git_push.NOBODY} refs/heads/main\0report-status".encode()
        answer = self.push(b"%04x%s0000" % (len(line) + 4, line))
        self.assertIn(b"cannot be deleted here", answer)

    def test_a_commit_that_is_not_in_the_pack_is_refused(self) -> None:
        body = pushed({JOB: "echo"})
        other = body[:45] + os.urandom(20).hex().encode() + body[85:]
        self.assertIn(b"ng refs/heads/main", self.push(other))
        self.assertFalse(WebJob.objects.exists())
