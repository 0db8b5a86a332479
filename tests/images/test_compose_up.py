"""The image, and what docker-compose.yml makes of it. In this order: one builds on the other."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.images.conftest import IMAGE, WORKERS, Site, docker
from tests.support.poll import until
from tests.support.portal import sign_in

pytestmark = pytest.mark.timeout(1900)
# Kills the worker's own process as a crash would; the container's init sees it end.
CRASH = """
import os, pathlib
for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    if path.read_text().startswith("[celeryd: "):
        os.kill(int(path.parent.name), 9)
"""
LOOP = "while true; do echo alive; sleep 1; done"


def is_whole(site: Site) -> bool:
    try:
        with urllib.request.urlopen(f"{site.url}/healthz", timeout=5) as answer:
            return bool(json.load(answer)["instances"] == WORKERS)
    except OSError:
        return False


def running(site: Site) -> int:
    """Copies of the continuous WebJob that run."""
    document = site.api("GET", "continuouswebjobs/daemon")
    return str(document["detailed_status"]).count("Running")


def test_the_image_has_the_portal_and_nothing_else(site: Site) -> None:
    found = set(docker("run", "--rm", IMAGE, "ls", "-A", "/srv/portal").split())
    assert {"manage.py", "portal", "webjobs", "templates", "static", "samples"} <= found
    assert not found & {"tests", "docs", "var", "secrets", "Makefile"}
    assert not [name for name in found if name.startswith(".")]


def test_every_container_is_healthy_and_has_no_rights(site: Site) -> None:
    containers = site.containers()
    assert len(containers) == WORKERS + 5
    for container in containers:
        name = container["Name"]
        assert container["State"]["Health"]["Status"] == "healthy", name
        text = docker("exec", container["Id"], "cat", "/proc/1/status")
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        assert "0" not in status["Uid"].split(), name
        assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0, name
        assert status["NoNewPrivs"] == "1", name
        for secret in site.secrets.values():
            assert secret not in json.dumps(container), name


def test_the_operator_signs_in(site: Site) -> None:
    browser = sign_in(site.url, site.secrets["admin_password"])
    assert "demo" in browser.open(f"{site.url}/").read().decode()


def test_a_run_and_a_webjob_on_every_instance(site: Site) -> None:
    site.api("PUT", "triggeredwebjobs/hello", "id -u")
    run = site.api("POST", "triggeredwebjobs/hello/run?wait=60")
    assert (run["status"], run["exit_code"]) == ("Success", 0), run
    site.api("PUT", "continuouswebjobs/daemon", LOOP)
    until(lambda: running(site) == WORKERS, seconds=30, what="it runs on all instances")


def test_a_worker_that_crashes_comes_back(site: Site) -> None:
    one = site.containers("worker")[0]
    docker("exec", one["Id"], "python", "-c", CRASH)
    run = site.api("POST", "triggeredwebjobs/hello/run?wait=60")
    assert run["status"] == "Success"

    def is_back() -> bool:
        now = next(other for other in site.containers("worker") if other["Id"] == one["Id"])
        return bool(now["RestartCount"] == 1) and now["State"]["Health"]["Status"] == "healthy"

    until(is_back, seconds=90, every=1, what="its container has been restarted")
    until(lambda: is_whole(site) and running(site) == WORKERS, seconds=60, every=1)


def test_it_ends_in_order_and_goes_on_with_what_it_had(site: Site) -> None:
    before = site.api("GET", "triggeredwebjobs/hello/history")["runs"]
    site.compose("stop", seconds=150)
    ends = {one["Name"]: one["State"]["ExitCode"] for one in site.containers()}
    assert set(ends.values()) == {0}, ends
    site.compose("rm", "-f", "-v")
    site.up()
    assert site.api("GET", "triggeredwebjobs/hello/history")["runs"] == before
    until(lambda: running(site) == WORKERS, seconds=60, every=1)
    assert site.api("POST", "triggeredwebjobs/hello/run?wait=60")["status"] == "Success"
