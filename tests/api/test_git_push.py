"""Real git against a portal that really runs: pushing to an app, and a connected repository."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings

from tests.support.poll import until
from tests.support.portal import Portal, environ
from tests.support.repositories import commit, git, make

# One portal for all of them.
pytestmark = pytest.mark.xdist_group("git-push")

MIB = 1024**2
JOBS = "App_Data/jobs/triggered/"
SCRIPT = """
from webjobs import deploying
from webjobs.deploying.asking import Wish
from webjobs.dispatch import Actor
from webjobs.models import Slot
slot = Slot.objects.select_related("app").get(app__name="demo", name="production")
print(slot.publishing_password)
"""
CONNECT = """
source = deploying.connect(slot, Wish({path!r}, "main"), Actor(None, "test"))
print(source.webhook_secret)
"""
DISCONNECT = """
deploying.disconnect(slot.source, Actor(None, "test"))
"""


@dataclass(frozen=True)
class Live:
    """A portal with the publishing password of its app `demo`."""

    portal: Portal
    folder: Path
    password: str

    @property
    def address(self) -> str:
        credentials = f"{quote('$demo')}:{quote(self.password)}"
        return f"http://{credentials}@127.0.0.1:{self.portal.port}/scm/demo/demo.git"

    def shell(self, more: str = "") -> list[str]:
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", SCRIPT + more],
            cwd=settings.BASE_DIR,
            env=environ(self.folder, SOURCE_CONTROL_PATHS=str(self.folder)),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    def call(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        pair = base64.b64encode(f"$demo:{self.password}".encode()).decode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if not headers:
            named["Authorization"] = f"Basic {pair}"
        request = urllib.request.Request(self.portal.url + path, data, named)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def jobs(self) -> dict[str, Any]:
        return {job["name"]: job for job in json.loads(self.call("/scm/demo/api/webjobs")[1])}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    portal = Portal(folder, MAX_UPLOAD_MB="5", SOURCE_CONTROL_PATHS=str(folder))
    try:
        portal.wait_until_ready()
        (password,) = Live(portal, folder, "").shell()
        yield Live(portal, folder, password)
    finally:
        portal.close()


def push(live: Live, folder: Path, *what: str, address: str = "") -> tuple[int, str]:
    """The exit code of `git push`, and what it shows."""
    done = subprocess.run(
        ["git", "push", address or live.address, *(what or ("main",))],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_push_deploys_and_tells_each_job(live: Live, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOBS + "one/run.sh": "echo 1\n", JOBS + "two/run.sh": "echo 2\n"})
    code, shown = push(live, made)
    assert code == 0, shown
    assert "remote: triggered/one: added" in shown
    assert "remote: triggered/two: added" in shown
    assert ": Success" in shown
    assert {"one", "two"} <= set(live.jobs())
    commit(made, {JOBS + "two/run.sh": "echo 22\n"}, "Second")
    code, shown = push(live, made)
    assert code == 0, shown
    assert "remote: triggered/one: unchanged" in shown
    assert "remote: triggered/two: replaced" in shown
    status, body = live.call("/scm/demo/api/triggeredwebjobs/two/run?wait=30", b"")
    assert (status, json.loads(body)["status"]) == (200, "Success")


def test_one_bad_job_refuses_the_whole_push(live: Live, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOBS + "good/run.sh": "echo", JOBS + "bad/readme.txt": "x"})
    code, shown = push(live, made)
    assert code != 0
    assert "remote: triggered/bad: refused. No runnable script file" in shown
    assert "[remote rejected]" in shown
    assert "good" not in live.jobs()


def test_a_push_without_jobs_says_where_they_belong(live: Live, tmp_path: Path) -> None:
    code, shown = push(live, make(tmp_path / "r", {"README": "x"}))
    assert code != 0
    assert "App_Data/jobs/triggered/NAME/" in shown


def test_only_one_branch_and_nothing_else_is_taken(live: Live, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOBS + "tagged/run.sh": "echo"})
    git(made, "tag", "v1")
    git(made, "branch", "other")
    for what, words in [
        (("v1",), "Only a branch can be deployed"),
        (("main", "other"), "one branch at a time"),
    ]:
        code, shown = push(live, made, *what)
        assert code != 0
        assert words in shown
    assert "tagged" not in live.jobs()


def test_hooks_of_the_pusher_do_not_travel_and_links_are_refused(
    live: Live, tmp_path: Path
) -> None:
    made = make(tmp_path / "r", {JOBS + "linked/run.sh": "echo"})
    os.symlink("/etc/passwd", made / JOBS / "linked/passwd")
    commit(made, {}, "Link")
    code, shown = push(live, made)
    assert code != 0
    assert "symbolic link" in shown
    assert "linked" not in live.jobs()


def test_a_large_push_arrives_in_chunks_and_a_larger_one_is_refused(
    live: Live, tmp_path: Path
) -> None:
    made = make(tmp_path / "r", {JOBS + "large/run.sh": "echo", JOBS + "large/data": b""})
    commit(made, {JOBS + "large/data": os.urandom(3 * MIB)}, "Large")
    code, shown = push(live, made)
    assert code == 0, shown
    assert "large" in live.jobs()
    commit(made, {"beside": os.urandom(21 * MIB)}, "Larger")
    code, shown = push(live, made)
    assert code != 0
    assert "413" in shown


def test_a_shallow_clone_can_push(live: Live, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOBS + "shallow/run.sh": "echo"})
    commit(made, {"README": "x"}, "Second")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{made}", "c")
    code, shown = push(live, tmp_path / "c")
    assert code == 0, shown
    assert "shallow" in live.jobs()


def test_nobody_pushes_without_the_password_and_nobody_fetches(live: Live, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOBS + "stranger/run.sh": "echo"})
    wrong = live.address.replace(quote(live.password), "wrong")
    code, shown = push(live, made, address=wrong)
    assert code != 0
    assert "Authentication failed" in shown
    other = live.address.replace("demo.git", "other.git")
    assert push(live, made, address=other)[0] != 0
    done = subprocess.run(
        ["git", "ls-remote", live.address], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert "takes pushes only" in done.stderr


def test_a_broken_pack_changes_nothing(live: Live) -> None:
    line = b"%s %s refs/heads/main\0report-status side-band-64k\n" % (b"0" * 40, b"1" * 40)
    head = b"%04x%s0000" % (len(line) + 4, line)
    path = "/scm/demo/demo.git/git-receive-pack"
    for body in (head, head + b"PACK" + bytes(40), head + os.urandom(1000)):
        status, answer = live.call(path, body)
        assert status == 200
        assert b"ng refs/heads/main" in answer
    for body in (b"0000", b""):
        assert live.call(path, body) == (200, b"")
    for body in (b"zzzz", b"ffff", b"0003", b"0008abcd0000"):
        assert live.call(path, body)[0] == 400


def test_a_connected_repository_is_deployed_by_its_webhook(live: Live, tmp_path: Path) -> None:
    made = make(live.folder / "connected", {JOBS + "hooked/run.sh": "echo 1\n"})
    _password, secret = live.shell(CONNECT.format(path=str(made)))
    try:
        until(lambda: "hooked" in live.jobs(), seconds=60, what="the first deployment")
        code, shown = push(live, made)
        assert code != 0
        assert "takes no git push" in shown
        new = commit(made, {JOBS + "later/run.sh": "echo 2\n"}, "Second")
        body = json.dumps({"ref": "refs/heads/main", "after": new}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        status, _answer = live.call(
            "/scm/demo/deploy", body, X_Hub_Signature_256=f"sha256={signature}",
            X_GitHub_Event="push", Content_Type="application/json",
        )  # fmt: skip
        assert status == 202
        until(lambda: "later" in live.jobs(), seconds=60, what="the pushed commit")
    finally:
        live.shell(DISCONNECT)
