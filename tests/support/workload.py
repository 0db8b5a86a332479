"""WebJobs that witness what happens to them, uploaded and asked for over the REST API.

Every process of a WebJob writes what it does to a file of its own in one folder, beside its log.
"""

from __future__ import annotations

import base64
import io
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.cluster import WITNESS
from webjobs.models import Slot

APP = "demo"
ZIP = "application/zip"
# Prints as many numbered lines as its first argument says, with a pause between them that the
# second says; with a third one a process that detaches itself is left behind.
RUN = """
file="$WITNESS_FOLDER/run.$WEBJOBS_NAME.$WEBJOBS_RUN_ID"
echo "begin $$" >> "$file"
[ -z "$3" ] || (setsid sleep 3000 &)
i=0
while [ $i -lt ${1:-2} ]; do
    line="line $i $EPOCHREALTIME"
    echo "$line"
    echo "$line" >> "$file"
    i=$((i + 1))
    sleep ${2:-0.1}
done
echo end >> "$file"
"""
# The same without an end.
COPY = """
(setsid sleep 3000 &)
i=0
while true; do
    echo "line $i $EPOCHREALTIME"
    i=$((i + 1))
    sleep 0.5
done
"""


@dataclass(frozen=True)
class Job:
    name: str
    files: Mapping[str, str]
    settings: Mapping[str, object]
    is_continuous: bool = False

    @property
    def path(self) -> str:
        kind = "continuous" if self.is_continuous else "triggered"
        return f"/scm/{APP}/api/{kind}webjobs/{self.name}"

    def zipped(self) -> bytes:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for name, text in {**self.files, "settings.job": json.dumps(self.settings)}.items():
                archive.writestr(name, text)
        return data.getvalue()


_SCRIPT = {"run.sh": RUN}
_PARALLEL = {"concurrency": "parallel", "max_parallel": 12}
MANUAL = Job("manual", _SCRIPT, _PARALLEL)
RETRIED = Job("retried", _SCRIPT, _PARALLEL | {"retry_attempts": 5, "retry_delay": 1})
QUEUED = Job("queued", _SCRIPT, {"concurrency": "queue", "queue_limit": 500})
SCHEDULED = (
    Job("every-2", _SCRIPT, {"schedule": "*/2 * * * * *"}),
    Job("every-3", _SCRIPT, {"schedule": "*/3 * * * * *", **_PARALLEL}),
)
TICKER = Job("ticker", {"run.sh": COPY}, {"stopping_wait_time": 1}, is_continuous=True)
SINGLETON = Job(
    "singleton",
    {"run.py": WITNESS},
    {"is_singleton": True, "stopping_wait_time": 1},
    is_continuous=True,
)
JOBS = (MANUAL, RETRIED, QUEUED, *SCHEDULED, TICKER, SINGLETON)


class Unanswered(Exception):
    """Nobody did what was asked, as far as the client can tell; `brief` says why."""

    def __init__(self, message: str, brief: str) -> None:
        super().__init__(message)
        self.brief = brief


class Workload:
    """A client of the portal that remembers what it was promised."""

    def __init__(self, folder: Path, slot: Slot) -> None:
        self.folder = folder / "witness"
        self.folder.mkdir(mode=0o777)
        secret = f"{slot.publishing_user}:{slot.publishing_password}"
        self._authorization = "Basic " + base64.b64encode(secret.encode()).decode()
        # (WebJob, run id) of every run that the portal has accepted.
        self.accepted: set[tuple[str, int]] = set()
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []
        # When, in seconds since 1970, the database was away or workers stood still: what is printed
        # then may not be stored if its worker ends, too.
        self.disturbances: list[tuple[float, float]] = []

    @property
    def singleton_file(self) -> Path:
        return self.folder / "singleton"

    def set_up(self, port: int, jobs: Sequence[Job] = JOBS) -> None:
        """Settings and uploads."""
        settings = {
            "WITNESS_FOLDER": str(self.folder),
            "WITNESS_FILE": str(self.singleton_file),
            "WEBJOBS_HISTORY_SIZE": "100000",
            "WEBJOBS_RESTART_TIME": "1",
        }
        path = f"/scm/{APP}/api/settings"
        self.call(port, "POST", path, json.dumps(settings).encode(), "application/json")
        for job in jobs:
            self.call(port, "PUT", job.path, job.zipped(), ZIP)

    def run(self, port: int, job: Job = MANUAL, arguments: str = "") -> int:
        """Ask for a run; gives its id. Raises Unanswered."""
        path = f"{job.path}/run?arguments={urllib.parse.quote(arguments)}"
        location = self.call(port, "POST", path)[1]["Location"]
        number = int(location.rstrip("/").rpartition("/")[2])
        self.accepted.add((job.name, number))
        return number

    def call(
        self, port: int, method: str, path: str, body: bytes = b"", content: str = ""
    ) -> tuple[bytes, Mapping[str, str]]:
        """Body and headers of the answer. Raises Unanswered for what is no success."""
        headers = {"Authorization": self._authorization, "Content-Type": content}
        if content == ZIP:
            headers["Content-Disposition"] = "attachment; filename=job.zip"
        url = f"http://127.0.0.1:{port}{path}"
        request = urllib.request.Request(url, body or None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.statuses[answer.status] += 1
                return answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            self.statuses[error.code] += 1
            words = error.read(500)
            if error.code == 500:
                self.faults.append(f"{method} {path}: 500 {words!r}")
            raise Unanswered(f"{method} {path}: {error.code} {words!r}", str(error.code)) from error
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise Unanswered(f"{method} {path}: {error}", type(reason).__name__) from error

    @contextmanager
    def disturbed(self) -> Iterator[None]:
        """In this block logs may lag behind."""
        begun = time.time()
        try:
            yield
        finally:
            self.disturbances.append((begun, time.time()))

    def was_disturbed(self, begun: float, ended: float) -> bool:
        return any(first <= ended and begun <= last for first, last in self.disturbances)

    def witness(self, job: str, number: int) -> list[str]:
        """What the processes of a run wrote; empty when none was started."""
        path = self.folder / f"run.{job}.{number}"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def witnessed(self) -> set[tuple[str, int]]:
        """(WebJob, run id) of every run that a process was started for."""
        names = [path.name.split(".") for path in self.folder.glob("run.*")]
        return {(job, int(number)) for _, job, number in names}
