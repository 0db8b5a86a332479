"""The portal under test, called over HTTP as people and clients of Azure call it."""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
import time
import urllib.parse
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import psutil

from tests.support.portal import Portal
from webjobs import dispatch
from webjobs.models import Run, Slot, WebJob
from webjobs.states import RUN_FINAL, JobType

# Between two looks at rows that wait for something; a look takes about 0.2 ms.
LOOK_EVERY = 0.002


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Client:
    """One connection to the portal that stays open. Not for several threads."""

    def __init__(self, port: int, **headers: str) -> None:
        self.headers = headers
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Fails for what is no success, with what the portal says."""
        sent = {name.replace("_", "-"): value for name, value in (self.headers | headers).items()}
        try:
            self._connection.request(method, path, body, sent)
            response = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):
            # It was closed while nobody used it; the request was not looked at.
            self._connection.close()
            self._connection.request(method, path, body, sent)
            response = self._connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if answer.status >= 400:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return answer

    def get(self, path: str) -> bytes:
        return self.call("GET", path).body

    def post(self, path: str) -> Answer:
        return self.call("POST", path)

    def close(self) -> None:
        self._connection.close()


class Site:
    """A new app of the portal, with its publishing credentials."""

    def __init__(self, portal: Portal, name: str) -> None:
        self.name = name
        dispatch.create_app(name, dispatch.PORTAL)
        self.slot = Slot.objects.select_related("app").get(app__name=name)
        self.port = portal.port
        secret = f"{self.slot.publishing_user}:{self.slot.publishing_password}"
        self.authorization = "Basic " + base64.b64encode(secret.encode()).decode()

    def client(self) -> Client:
        """A new connection to Kudu's API."""
        return Client(self.port, Authorization=self.authorization)

    def path(self, type: JobType, name: str, action: str = "") -> str:
        return f"/scm/{self.name}/api/{type}webjobs/{name}{action}"

    def set(self, **settings: str) -> None:
        """Change app settings."""
        path, body = f"/scm/{self.name}/api/settings", json.dumps(settings).encode()
        self.client().call("POST", path, body, Content_Type="application/json")

    def upload(self, type: JobType, name: str, script: str, file: str = "run.sh") -> WebJob:
        """A WebJob of one file."""
        disposition = f"attachment; filename={file}"
        self.client().call(
            "PUT", self.path(type, name), script.encode(),
            Content_Disposition=disposition, Content_Type="application/octet-stream",
        )  # fmt: skip
        return WebJob.objects.get(slot=self.slot, name=name)

    def copies_of(self, job: WebJob, count: int) -> list[WebJob]:
        """So many WebJobs, `job` among them, with the same files."""
        same = {"slot": job.slot, "type": job.type, "script": job.script}
        names = (f"{job.name}-{number}" for number in range(1, count))
        new = [WebJob(name=name, package_id=job.package_id, **same) for name in names]
        return [job, *WebJob.objects.bulk_create(new)]

    def run(self, client: Client, job: WebJob) -> Run:
        """Run now; returns once the portal has answered."""
        answer = client.post(self.path(JobType.TRIGGERED, job.name, "/run"))
        number = int(answer.headers["Location"].rstrip("/").rpartition("/")[2])
        return Run.objects.get(job=job, number=number)


class Bench:
    """A portal with its defaults, and a folder for whatever a row needs beside it."""

    def __init__(self, portal: Portal, folder: Path, password: str, *, quick: bool, full: bool):
        self.portal = portal
        self.folder = folder
        self.quick = quick
        self.full = full
        self._password = password

    def count(self, normal: int) -> int:
        """How many to measure with: a tenth of `normal` when it must be quick."""
        return max(3, normal // 10) if self.quick else normal

    def seconds(self, normal: float) -> float:
        """How long to measure."""
        return normal / 5 if self.quick else normal

    def site(self, name: str) -> Site:
        return Site(self.portal, name)

    def signed_in(self) -> Client:
        """A connection with the session of the operator."""
        client = Client(self.portal.port)
        page = client.call("GET", "/sign-in")
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.body)
        assert token, "The page of /sign-in has no form"
        fields = {
            "csrfmiddlewaretoken": token[1].decode(),
            "username": "admin",
            "password": self._password,
        }
        client.headers = {"Cookie": _cookies(page)}
        body = urllib.parse.urlencode(fields).encode()
        kind = "application/x-www-form-urlencoded"
        answer = client.call("POST", "/sign-in", body, Content_Type=kind)
        client.headers = {"Cookie": _cookies(answer)}
        assert "sessionid" in client.headers["Cookie"], "The password was refused"
        return client

    def worker(self) -> psutil.Process:
        worker = self.portal.kept("worker")
        assert worker, "There is no worker"
        return worker

    def silence_demo(self) -> None:
        """Nothing runs but what is measured."""
        slot = Slot.objects.get(app__name="demo")
        change = dispatch.SettingChange("WEBJOBS_STOPPED", "1")
        dispatch.change_settings(slot, [change], dispatch.PORTAL)

    def close(self) -> None:
        """Stop the portal; what it has to say about that is not for the table."""
        with redirect_stdout(io.StringIO()):
            self.portal.close()


def _cookies(answer: Answer) -> str:
    jar = SimpleCookie("; ".join(answer.headers.get_all("Set-Cookie") or []))
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())


def wait_final(runs: Iterable[Run], seconds: float = 60) -> None:
    """Until all of them are recorded as ended."""
    rest = {run.pk for run in runs}

    def are_final() -> bool:
        ended = Run.objects.filter(pk__in=rest, status__in=[str(item) for item in RUN_FINAL])
        rest.difference_update(ended.values_list("pk", flat=True))
        return not rest

    wait_for(are_final, seconds, lambda: f"{len(rest)} runs have not ended")


def wait_for(
    probe: Callable[[], Any], seconds: float, what: Callable[[], str], every: float = LOOK_EVERY
) -> float:
    """Until `probe` tells something true; returns the clock of that moment.

    It is asked `every` so many seconds: what takes the portal's cores must not be asked often.
    """
    end = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < end, f"after {seconds:.0f} s {what()}"
        time.sleep(every)
    return time.time()
