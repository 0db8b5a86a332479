"""`manage.py up`, as a whole: real processes, a real broker, a data directory of its own."""

from __future__ import annotations

import http.cookiejar
import json
import re
import shutil
import signal
import socket
import sqlite3
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.poll import until
from tests.support.portal import MARKS, Portal, free_port, living, refusal

pytestmark = [pytest.mark.xdist_group("up"), pytest.mark.own_database]

MIB = 1024 * 1024
MEMORY_AIM = 220 * MIB
BACK_SECONDS = 5


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    # Not pytest's: its long path would move the broker's socket elsewhere.
    path = Path(tempfile.mkdtemp(prefix="webjobs-up-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def started(data_dir: Path) -> Iterator[tuple[Portal, str]]:
    portal = Portal(data_dir)
    try:
        portal.wait_until_ready()
        yield portal, portal.output
    finally:
        portal.close()


@pytest.fixture
def portal(started: tuple[Portal, str]) -> Portal:
    return started[0]


@pytest.fixture
def printed(started: tuple[Portal, str]) -> str:
    """What its first start has printed, before any test killed something."""
    return started[1]


@pytest.fixture
def own_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="webjobs-up-"))
    yield path
    shutil.rmtree(path)


def sign_in(portal: Portal, user_name: str, password: str) -> int:
    """Sign in to the admin site as a browser does; returns the last status."""
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    address = f"{portal.url}/admin/login/?next=/admin/"
    page = opener.open(address).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    fields = {"username": user_name, "password": password, "csrfmiddlewaretoken": token[1]}
    answer = opener.open(address, urllib.parse.urlencode(fields).encode())
    assert answer.url.endswith("/admin/"), "the password was refused"
    return int(answer.status)


def heartbeat(portal: Portal) -> psutil.Process | None:
    for process in portal.everything():
        try:
            if "heartbeat" in " ".join(process.cmdline()):
                return process
        except psutil.Error:
            continue
    return None


def test_the_first_start_prints_an_account_that_works(portal: Portal, printed: str) -> None:
    assert portal.output.count("Password:") == 1
    assert "User name: admin" in printed
    assert "cannot be reached" not in printed
    assert sign_in(portal, "admin", portal.password()) == 200


def test_the_health_page_says_that_every_part_is_there(portal: Portal) -> None:
    until(portal.is_healthy, seconds=20)
    with urllib.request.urlopen(f"{portal.url}/healthz") as answer:
        parts = json.load(answer)
    assert parts == {
        "status": "ok", "database": "ok", "broker": "ok", "packages": "ok", "instances": 1,
        "beat": "ok",
    }  # fmt: skip


def test_the_first_start_adds_an_app_that_shows_life(portal: Portal, data_dir: Path) -> None:
    with sqlite3.connect(data_dir / "db.sqlite3") as database:
        query = "SELECT name, type FROM webjobs_webjob ORDER BY name"
        assert database.execute(query).fetchall() == [
            ("disk-space", "triggered"),
            ("heartbeat", "continuous"),
            ("report", "triggered"),
        ]
    database.close()
    until(lambda: heartbeat(portal), seconds=20, what="the process of a continuous WebJob")


@pytest.mark.parametrize("name", list(MARKS))
def test_a_killed_process_is_back_within_five_seconds(portal: Portal, name: str) -> None:
    killed = until(lambda: portal.kept(name), seconds=BACK_SECONDS)
    killed.kill()

    def is_back() -> bool:
        kept = portal.kept(name)
        return kept is not None and kept.pid != killed.pid

    until(is_back, seconds=BACK_SECONDS, what=f"another {name}")
    until(portal.is_healthy, seconds=BACK_SECONDS, what="a healthy portal")


def test_nothing_but_the_web_listens_on_the_network(portal: Portal) -> None:
    found = [connection for one in portal.everything() for connection in connections(one)]
    listening = {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}
    assert listening == {portal.port}


def connections(process: psutil.Process) -> list[Any]:
    """What WebJobs run comes and goes meanwhile."""
    try:
        return list(process.net_connections(kind="inet"))
    except psutil.NoSuchProcess:
        return []


def test_a_second_start_on_the_same_directory_is_refused(portal: Portal, data_dir: Path) -> None:
    refused = refusal(data_dir)
    assert refused.returncode != 0
    assert refused.stderr.splitlines() == [
        f"Cannot start: DATA_DIR: another portal (process {portal.pid}) uses {data_dir}. "
        "Stop it first, or set another DATA_DIR and PORT."
    ]


def test_every_line_begins_with_the_name_of_its_process(portal: Portal) -> None:
    names = {line.split("|")[0].strip() for line in portal.lines if "|" in line}
    assert names <= {"up", *MARKS}
    # Not a terminal: no colours.
    assert "\x1b[" not in portal.output


def test_all_of_it_fits_in_the_memory_aim(portal: Portal) -> None:
    wine = {"wine", "services.exe", "winedevice.exe", "explorer.exe", "plugplay.exe"}
    total = sum(
        process.memory_full_info().pss
        for process in living(portal.everything())
        if not wine & set(process.name().replace("64", " ").split())
    )
    assert total <= MEMORY_AIM


def test_it_stops_in_order_and_begins_again_as_it_was(own_dir: Path) -> None:
    first = Portal(own_dir)
    try:
        first.wait_until_ready()
        until(lambda: heartbeat(first), seconds=20, what="the process of a continuous WebJob")
        everything = first.everything()
        # As a terminal does it, and as make passes it on: to the group and to the leader.
        first.signal(signal.SIGINT, group=True)
        first.signal(signal.SIGINT)
        assert first.wait() == 0
    finally:
        first.close()
    assert living(everything) == []
    ended = re.findall(r"stopped: (\w+)", first.output)
    assert ended == ["web", "beat", "worker", "broker"]
    assert "Traceback" not in first.output

    second = Portal(own_dir)
    try:
        second.wait_until_ready()
        assert "Password" not in second.output
        assert "first start" not in second.output
        assert sign_in(second, "admin", first.password()) == 200
        until(lambda: heartbeat(second), seconds=20, what="the continuous WebJob of before")
    finally:
        second.close()


def test_nothing_outlives_a_killed_up(own_dir: Path) -> None:
    portal = Portal(own_dir)
    try:
        portal.wait_until_ready()
        until(lambda: heartbeat(portal), seconds=20, what="the process of a continuous WebJob")
        everything = portal.everything()
        portal.signal(signal.SIGKILL)
        portal.wait()
        until(lambda: not living(everything), seconds=10, what="the end of all processes")
    finally:
        portal.close()


def test_a_second_ctrl_c_ends_everything_at_once(own_dir: Path) -> None:
    portal = Portal(own_dir)
    try:
        portal.wait_until_ready()
        worker = portal.kept("worker")
        assert worker is not None
        # It cannot stop in order as long as it is frozen.
        worker.suspend()
        portal.signal(signal.SIGINT)
        until(lambda: "stopped: beat" in portal.output, seconds=20, what="the end of beat")
        assert "stopped: worker" not in portal.output
        until(portal.press_ctrl_c, seconds=10, what="its end")
        assert portal.wait() == 0
    finally:
        portal.close()


def test_a_port_in_use_is_refused_in_one_line(own_dir: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = refusal(own_dir, PORT=str(port))
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert refused.stderr.splitlines() == [
        f"Cannot start: PORT: cannot listen on 127.0.0.1:{port}: Address already in use. "
        "Stop what uses it, or choose another, such as PORT=8001."
    ]


def test_an_unwritable_data_directory_is_refused_in_one_line(own_dir: Path) -> None:
    file = own_dir / "file"
    file.touch()
    refused = refusal(file / "data")
    assert refused.returncode != 0
    assert refused.stderr.splitlines() == [
        f"Cannot start: DATA_DIR: cannot write to {file / 'data'}: Not a directory. "
        "Choose a directory that this user may write to."
    ]


def test_a_broken_setting_is_refused_by_name(own_dir: Path) -> None:
    refused = refusal(own_dir, PORT="eighty")
    assert refused.returncode != 0
    assert refused.stderr.splitlines() == [
        "Cannot start: PORT: must be a whole number from 1 to 65535, not 'eighty'."
    ]


def test_a_database_that_does_not_answer_is_refused_in_one_line(own_dir: Path) -> None:
    address = f"postgres://me:hush@127.0.0.1:{free_port()}/jobs"
    refused = refusal(own_dir, DATABASE_URL=address, PORT=str(free_port()))
    assert refused.returncode != 0
    (line,) = refused.stderr.splitlines()
    assert line.startswith("Cannot start: DATABASE_URL: cannot use the database jobs on 127.0.0.1")
    assert "hush" not in line
