"""The API of a portal that really runs, with https: what no test client shows."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import select
import shutil
import ssl
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings

from tests.api.live import Answer, Live
from tests.support.poll import until
from tests.support.portal import Portal, environ
from tests.web.test_call import commands

# One portal for all of them.
pytestmark = pytest.mark.xdist_group("live")

SERVER = """
import http.server, os, socketserver
class Echo(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(201)
        self.send_header("Content-Type", "text/html")
        self.send_header("Set-Cookie", "sessionid=stolen")
        self.send_header("X-Path", self.path)
        self.send_header("X-Authorization", str(self.headers.get("Authorization")))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
socketserver.TCPServer(("127.0.0.1", int(os.environ["WEBJOBS_PORT"])), Echo).serve_forever()
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    portal = Portal(folder, "--tls", MAX_UPLOAD_MB="20")
    try:
        portal.wait_until_ready()
        command = [sys.executable, "manage.py", "apitoken", "admin", "tests"]
        made = subprocess.run(
            [*command, "--role", "contributor"],
            cwd=settings.BASE_DIR,
            env=environ(folder),
            capture_output=True,
            text=True,
            check=True,
        )
        yield Live(portal, made.stdout.strip())
    finally:
        portal.close()


def _zip(text: str, filler: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("run.sh", text)
        archive.writestr("filler.bin", bytes(index % 251 for index in range(filler)))
    return buffer.getvalue()


def _pieces(data: bytes, size: int = 60_001) -> Iterator[bytes]:
    """Sent in chunks, because nobody knows how many bytes an iterator has."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


JOB = "/scm/demo/api/triggeredwebjobs/api-test"


def test_an_upload_in_chunks_without_a_length_arrives_whole(live: Live) -> None:
    data = _zip("echo from chunks", 3_000_000)
    answer = live.upload(JOB, _pieces(data), "job.zip", "application/zip")
    assert answer.status == 200, answer.body
    run = live.call("POST", JOB + "/run?wait=30")
    assert (run.status, run.json["status"]) == (200, "Success")
    log = live.call("GET", run.json["output_url"].removeprefix(live.portal.url))
    assert b"INFO] from chunks\r\n" in log.body


def test_a_site_in_chunks_without_a_length_arrives_whole(live: Live) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in ("site-one", "site-two"):
            archive.writestr(f"App_Data/jobs/triggered/{name}/run.sh", f"echo from {name}")
            archive.writestr(f"App_Data/jobs/triggered/{name}/filler.bin", os.urandom(1_000_000))
    path = "/scm/demo/api/zip/site/wwwroot/"
    answer = live.call("PUT", path, _pieces(buffer.getvalue()), Content_Type="application/zip")
    assert answer.status == 200, answer.body
    for name in ("site-one", "site-two"):
        run = live.call("POST", f"/scm/demo/api/triggeredwebjobs/{name}/run?wait=30")
        assert (run.status, run.json["status"]) == (200, "Success")


@pytest.mark.parametrize("times", [1, 10_000], ids=["small", "large"])
def test_a_body_that_nobody_wants_does_not_become_the_next_request(live: Live, times: int) -> None:
    live.upload(JOB, b"true", "run.sh", "application/octet-stream")
    until(lambda: live.call("POST", JOB + "/run?wait=30").status == 200)
    connection = http.client.HTTPSConnection(
        "127.0.0.1", live.portal.port, context=live.portal.trust, timeout=60
    )
    basic = base64.b64encode(f"admin:{live.secret}".encode()).decode()
    hidden = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * times
    connection.request("POST", JOB + "/run", hidden, {"Authorization": f"Basic {basic}"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (202, b"")
    # What follows is the answer to the next request, or the end of the connection, as TCP or TLS
    # tells of it.
    with suppress(ConnectionError, ssl.SSLError):
        connection.request("GET", JOB, headers={"Authorization": f"Basic {basic}"})
        assert json.loads(connection.getresponse().read())["name"] == "api-test"
    connection.close()


def test_too_much_in_chunks_is_refused_and_costs_nothing(live: Live) -> None:
    live.upload(JOB, _zip("echo good"), "job.zip", "application/zip")
    answer = live.upload(JOB, _pieces(bytes(21 * 1024 * 1024)), "job.zip", "application/zip")
    assert answer.status == 413
    assert live.call("GET", JOB).status == 200


@pytest.mark.parametrize("way", ["declared", "chunked"])
def test_a_refusal_arrives_however_much_is_still_to_come(live: Live, way: str) -> None:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", live.portal.port, context=live.portal.trust, timeout=10
    )
    connection.putrequest("PUT", JOB)
    size = 8 * 1024 * 1024
    length = ("Content-Length", str(size)), ("Transfer-Encoding", "chunked")
    connection.putheader("Authorization", "Basic wrong")
    connection.putheader(*length[way == "chunked"])
    connection.endheaders()
    # It is told before the body comes, which most clients do not expect.
    assert select.select([connection.sock], [], [], 10)[0]
    body = bytes(size)
    connection.send(body if way == "declared" else b"%x\r\n%s\r\n0\r\n\r\n" % (size, body))
    assert connection.getresponse().status == 401
    connection.close()


def test_an_upload_that_is_cut_off_costs_nothing(live: Live) -> None:
    live.upload(JOB, _zip("echo good"), "job.zip", "application/zip")
    before = live.call("GET", JOB + "/settings").status
    connection = http.client.HTTPSConnection(
        "127.0.0.1", live.portal.port, context=live.portal.trust
    )
    connection.putrequest("PUT", JOB)
    basic = base64.b64encode(f"admin:{live.secret}".encode()).decode()
    for name, value in {
        "Authorization": f"Basic {basic}",
        "Content-Disposition": "attachment; filename=job.zip",
        "Content-Type": "application/zip",
        "Transfer-Encoding": "chunked",
    }.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(b"ffff\r\nPK\x03\x04 and then nothing")
    connection.close()
    assert before == 200
    run = live.call("POST", JOB + "/run?wait=30")
    assert run.json["status"] == "Success"


def test_many_at_once_with_one_key_start_one_run(live: Live) -> None:
    job = JOB + "-once"
    live.upload(job, b"sleep 0.5", "run.sh", "application/octet-stream")

    def ask(_number: int) -> Answer:
        return live.call("POST", job + "/run", Idempotency_Key="only")

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(24)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(live.call("GET", job + "/history").json["runs"]) == 1


def test_who_goes_away_leaves_the_place_of_waiting_to_others(live: Live) -> None:
    long, quick = JOB + "-long", JOB + "-quick"
    live.upload(long, b"sleep 100", "run.sh", "application/octet-stream")
    live.upload(quick, b"true", "run.sh", "application/octet-stream")
    basic = base64.b64encode(f"admin:{live.secret}".encode()).decode()
    # The same key: all of them wait for one run, and take every place there is.
    named = {"Authorization": f"Basic {basic}", "Idempotency-Key": "once"}
    waiting = []
    for _ in range(60):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", live.portal.port, context=live.portal.trust, timeout=60
        )
        connection.request("POST", long + "/run?wait=90", headers=named)
        waiting.append(connection)

    def is_full() -> bool:
        start = time.monotonic()
        for _ in range(6):  # Whichever process answers.
            live.call("POST", long + "/run?wait=2", Idempotency_Key="once")
        return time.monotonic() - start < 2

    until(is_full, seconds=30, what="no place left for waiting")
    for connection in waiting:
        connection.close()
    until(lambda: live.call("POST", quick + "/run?wait=10").status == 200, seconds=10)
    run = live.call("GET", long + "/history").json["runs"]
    assert len(run) == 1
    live.call("POST", f"{long}/history/{run[0]['id']}/stop")


def test_documents_link_by_https(live: Live) -> None:
    live.upload(JOB, b"echo hi", "run.sh", "application/octet-stream")
    document = live.call("GET", JOB).json
    assert document["url"] == live.portal.url + JOB


def test_a_head_request_has_no_body_and_the_connection_lives_on(live: Live) -> None:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", live.portal.port, context=live.portal.trust, timeout=10
    )
    basic = base64.b64encode(f"admin:{live.secret}".encode()).decode()
    for method in ("HEAD", "OPTIONS", "GET", "HEAD", "GET"):
        connection.request(
            method, "/scm/demo/api/webjobs", headers={"Authorization": f"Basic {basic}"}
        )
        answer = connection.getresponse()
        assert answer.status in (200, 204)
        assert (answer.read() != b"") is (method == "GET")
    connection.close()


def _ask_for_token(live: Live, path: str, secret: str) -> Answer:
    form = {
        "client_id": "admin",
        "client_secret": secret,
        "grant_type": "client_credentials",
        "scope": f"{live.portal.url}//.default",
    }
    type = "application/x-www-form-urlencoded"
    return live.call("POST", path, urlencode(form).encode(), auth="", Content_Type=type)


def test_the_sign_in_gives_tokens_that_open_the_api(live: Live) -> None:
    config = live.call("GET", "/any/v2.0/.well-known/openid-configuration", auth="").json
    path = config["token_endpoint"].removeprefix(live.portal.url)
    token = _ask_for_token(live, path, live.secret)
    assert (token.status, token.json["token_type"]) == (200, "Bearer")
    bearer = "Bearer " + token.json["access_token"]
    found = live.call("GET", "/subscriptions?api-version=2022-12-01", auth=bearer)
    assert found.json["value"][0]["state"] == "Enabled"
    wrong = _ask_for_token(live, path, "wjp_wrong")
    assert (wrong.status, wrong.json["error"]) == (401, "invalid_client")


def test_a_request_passes_through_to_the_job_and_brings_no_cookie_back(live: Live) -> None:
    job = "/scm/demo/api/continuouswebjobs/web-test"
    assert live.call("GET", job + "/passthrough/").status == 404
    live.upload(job, SERVER.encode(), "run.py", "application/octet-stream")

    def answered() -> Answer | None:
        found = live.call("POST", job + "/passthrough/a%20b/c?d=1", b"hello", Content_Type="x/y")
        return found if found.status == 201 else None

    answer = until(answered, seconds=30, what="the job's own answer")
    assert answer.body == b"hello"
    assert answer.headers["X-Path"] == "/a%20b/c?d=1"
    assert answer.headers["X-Authorization"] == "None"
    assert answer.headers["Set-Cookie"] is None
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    live.call("DELETE", job)
    assert live.call("GET", job + "/passthrough/").status == 404


ARGUMENTS = "--note \"it's a 'test' $HOME\" & ü\u2019 %20"
SHELLS = {
    "curl": ("/bin/sh", "-c"),
    "python": (sys.executable, "-c"),
    "powershell": ("pwsh", "-NoProfile", "-NonInteractive", "-Command"),
}
EACH_TOOL = pytest.mark.parametrize(
    "tool",
    [
        "curl",
        "python",
        pytest.param(
            "powershell",
            marks=pytest.mark.skipif(
                shutil.which("pwsh") is None, reason="PowerShell (pwsh) is not on this machine"
            ),
        ),
    ],
)


@dataclass(frozen=True)
class Examples:
    """The commands of the page `Call this WebJob`, run as a person who pastes them would."""

    live: Live
    tool: str
    shown: dict[str, str]

    @classmethod
    def of(cls, live: Live, tool: str, page: str) -> Examples:
        return cls(live, tool, commands(live.portal.page(f"/apps/demo/webjobs/{page}")))

    def run(self, number: int) -> str:
        site = "/subscriptions/any/resourceGroups/any/providers/Microsoft.Web/sites/demo"
        path = site + "/config/publishingcredentials/list?api-version=1"
        secret = self.live.call("POST", path).json["properties"]["publishingPassword"]
        trusted = str(self.live.portal.authority)
        done = subprocess.run(
            [*SHELLS[self.tool], self.shown[f"{self.tool}-{number}"]],
            env={
                "PATH": os.environ["PATH"],
                "WEBJOBS_PASSWORD": secret,
                "CURL_CA_BUNDLE": trusted,
                "SSL_CERT_FILE": trusted,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@EACH_TOOL
def test_the_examples_of_a_triggered_job_run_as_they_are(live: Live, tool: str) -> None:
    name = f"call-{tool}"
    job = f"/scm/demo/api/triggeredwebjobs/{name}"
    live.upload(job, b"echo done", "run.sh", "application/octet-stream")
    query = urlencode({"arguments": ARGUMENTS})
    examples = Examples.of(live, tool, f"triggered/{name}/call?{query}")

    def ended(runs: int) -> Any:
        found = live.call("GET", job + "/history").json["runs"]
        done = [run for run in found if run["status"] == "Success"]
        return done[0] if len(done) == runs else None

    examples.run(1)
    assert until(partial(ended, 1), seconds=30, what="the end of the run")["arguments"] == ""
    examples.run(2)
    latest = until(partial(ended, 2), seconds=30, what="the end of the run with arguments")
    assert latest["arguments"] == ARGUMENTS
    assert "Success" in examples.run(3)


@EACH_TOOL
def test_the_examples_of_a_continuous_job_run_as_they_are(live: Live, tool: str) -> None:
    name = f"serve-{tool}"
    job = f"/scm/demo/api/continuouswebjobs/{name}"
    live.upload(job, b"while sleep 0.2; do :; done", "run.sh", "application/octet-stream")
    examples = Examples.of(live, tool, f"continuous/{name}/call")

    def has(status: str) -> bool:
        return bool(live.call("GET", job).json["status"] == status)

    until(partial(has, "Running"), seconds=30, what="the start of the job")
    examples.run(2)
    until(partial(has, "Stopped"), seconds=30, what="the end of the job")
    examples.run(1)
    until(partial(has, "Running"), seconds=30, what="the new start of the job")
    live.call("DELETE", job)


def test_run_and_wait_is_fast(live: Live) -> None:
    live.upload(JOB, b"true", "run.sh", "application/octet-stream")
    live.call("POST", JOB + "/run?wait=30")
    times = []
    for _ in range(10):
        start = time.monotonic()
        assert live.call("POST", JOB + "/run?wait=30").status == 200
        times.append(time.monotonic() - start)
    # Far above what is aimed at: the machine of the tests has other work too.
    assert statistics.median(times) < 1.0, times
    print(f"run and wait, over https: median {statistics.median(times) * 1000:.0f} ms")
