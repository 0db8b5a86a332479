"""`manage.py serve`: the web process alone, as in a container."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.environment import database_url
from tests.support.poll import until
from tests.support.portal import READY_SECONDS, environ, free_port

pytestmark = pytest.mark.django_db(transaction=True)


def health(port: int) -> dict[str, object] | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as answer:
        return dict(json.load(answer))
    except OSError:
        return None


def has_begun(port: int, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, "It ended"
    return health(port) is not None


def serve(data_dir: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=settings.BASE_DIR,
        env=environ(
            data_dir,
            DATABASE_URL=database_url(),
            PORT=str(port),
            REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_at_once_prepare_one_portal_and_name_what_is_missing(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    processes = [serve(tmp_path / str(port), port) for port in ports]
    try:
        for port, process in zip(ports, processes, strict=True):
            until(partial(has_begun, port, process), seconds=READY_SECONDS, what="an answer")
            assert health(port) == {
                "status": "unavailable",
                "database": "ok",
                "broker": "does not answer",
                "packages": "ok",
                "instances": 0,
                "beat": "no tick for 30 seconds",
            }
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        outputs = [process.communicate(timeout=30)[0] for process in processes]
        print(*outputs)
    assert len(re.findall(r"Password:", "".join(outputs))) == 1, outputs
    assert [process.returncode for process in processes] == [0, 0]
