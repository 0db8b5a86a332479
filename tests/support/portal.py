"""A whole portal, started with `manage.py up` as a person would, on a directory of its own."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import psutil
from django.conf import settings

from tests.support import static_files
from tests.support.poll import until

# A cold machine compiles and prepares everything; a loaded one takes its time.
READY_SECONDS = 90
# What the command line of each kept process says.
MARKS = {
    "web": "gunicorn: master",
    "worker": "celeryd",
    "beat": "celery beat",
    "broker": "valkey-server",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environ(data_dir: Path, **changes: str) -> dict[str, str]:
    """The environment of a person who starts it: nothing of the tests' settings."""
    left_out = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "DATA_DIR": str(data_dir), **changes}


def refusal(data_dir: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run `up` where it cannot start, to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=settings.BASE_DIR,
        env=environ(data_dir, **changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )


class Portal:
    """`manage.py up` as the leader of a process group, like a job of an interactive shell."""

    def __init__(self, data_dir: Path, *arguments: str, **changes: str) -> None:
        self.port = free_port()
        scheme = "https" if "--tls" in arguments else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.authority = data_dir / "tls" / "ca.pem"
        self.lines: list[str] = []
        self._data_dir = data_dir
        static_files.lend(data_dir)
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "up", *arguments],
            cwd=settings.BASE_DIR,
            env=environ(data_dir, PORT=str(self.port), **changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_until_ready(self) -> None:
        """Until the welcome is printed, to its last line, and everything is there."""
        until(self._has_answered, seconds=READY_SECONDS, what="the welcome in the output")
        until(self.is_healthy, seconds=READY_SECONDS, what="200 from /healthz")
        static_files.keep(self._data_dir)

    def _has_answered(self) -> bool:
        assert self._process.poll() is None, self.output
        welcome = self.output.partition(f"answers at {self.url}")[2]
        return "Ctrl-C stops it." in welcome

    @property
    def trust(self) -> ssl.SSLContext | None:
        """What clients must trust to speak https with it."""
        is_there = self.url.startswith("https") and self.authority.exists()
        return ssl.create_default_context(cafile=str(self.authority)) if is_there else None

    def is_healthy(self) -> bool:
        try:
            address = f"{self.url}/healthz"
            with urllib.request.urlopen(address, timeout=5, context=self.trust) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def password(self) -> str:
        found = re.search(r"Password:  (\S+)", self.output)
        assert found, self.output
        return found[1]

    def page(self, path: str) -> str:
        """The HTML of a page as the operator of the first start sees it."""
        browser = sign_in(self.url, self.password(), self.trust)
        return str(browser.open(self.url + path).read().decode())

    def kept(self, name: str) -> psutil.Process | None:
        """The kept process `name`, if it lives."""
        for child in psutil.Process(self.pid).children():
            if MARKS[name] in _command(child):
                return child
        return None

    def everything(self) -> list[psutil.Process]:
        """`up` and all below it: kept processes, their helpers, and the processes of WebJobs."""
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.pid, number)

    def press_ctrl_c(self) -> bool:
        """As an impatient person does; whether it has ended."""
        if self._process.poll() is None:
            self.signal(signal.SIGINT)
        return self._process.poll() is not None

    def wait(self, seconds: float = 30) -> int:
        """Wait for the end of `up`; returns its exit code."""
        code = self._process.wait(timeout=seconds)
        self._reader.join(timeout=10)
        return code

    def close(self) -> None:
        """Stop it in order, however far it came; its output is shown when the test fails."""
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
            self.wait(seconds=90)
        print(self.output)


def sign_in(
    url: str, password: str, trust: ssl.SSLContext | None = None
) -> urllib.request.OpenerDirector:
    """A browser, as far as it goes, in which the operator of the first start is signed in."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=trust),
        urllib.request.HTTPCookieProcessor(cookies),
    )
    address = url + "/sign-in"
    browser.open(address).read()
    fields = {
        "csrfmiddlewaretoken": next(one.value for one in cookies if "csrf" in one.name) or "",
        "username": "admin",
        "password": password,
    }
    form = urlencode(fields).encode()
    browser.open(urllib.request.Request(address, form, {"Referer": address})).read()
    return browser


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those of `processes` that still run; zombies that wait for their parent do not."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found
