"""A dead man's switch: what is not renewed is killed, also when its worker stands still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from tests.process.running import Job, Jobs, marked
from tests.support.poll import until
from webjobs.runner.ending import Cause
from webjobs.runner.launcher import Exit, LaunchError
from webjobs.runner.program import lease_clock

WORKER_WITH_LEASE = """
import os, time
from pathlib import Path
from webjobs.runner.launcher import Launcher
from webjobs.runner.program import lease_clock
launcher = Launcher()
launcher.start()
launcher.renew(["mine"], lease_clock() + 1)
env = {{"PATH": os.defpath, "MARK": "{name}"}}
launcher.launch(["sleep", "600"], cwd=Path("/"), env=env, marker="MARK={name}", lease="mine")
print("up", flush=True)
while True:
    launcher.renew(["mine"], lease_clock() + 1)
    time.sleep(0.1)
"""


def leased(jobs: Jobs, script: str, lease: str) -> Job:
    """A job under a lease."""
    launch = jobs.launcher.launch
    jobs.launcher.launch = partial(launch, lease=lease)  # type: ignore[method-assign]
    try:
        return jobs.sh(script)
    finally:
        jobs.launcher.launch = launch  # type: ignore[method-assign]


def test_a_lease_that_is_not_renewed_kills_what_is_under_it(jobs: Jobs) -> None:
    deadline = lease_clock() + 1.5
    jobs.launcher.renew(["mine", "other"], deadline)
    jobs.launcher.renew(["other"], lease_clock() + 60)
    other = leased(jobs, "sleep 600", "other")
    job = leased(jobs, "setsid sleep 600 & echo up; sleep 600", "mine")

    end = job.finish(10)

    assert deadline < lease_clock() < deadline + 3
    assert (end.cause, end.exit) == (Cause.EXPIRED, Exit(signal=9, expired=True))
    assert "never runs twice" in end.reason
    other.child.step()
    assert other.child.end is None
    assert len(jobs.left()) == 2  # the shell of the other one and its sleep


def test_renewing_a_lease_keeps_the_job(jobs: Jobs) -> None:
    jobs.launcher.renew(["mine"], lease_clock() + 2)
    job = leased(jobs, "sleep 3; exit 3", "mine")
    jobs.launcher.renew(["mine"], lease_clock() + 60)

    assert job.finish().exit == Exit(code=3)


def test_nothing_starts_under_a_lease_that_has_ended(jobs: Jobs) -> None:
    jobs.launcher.renew(["mine"], lease_clock() + 0.05)
    time.sleep(0.1)

    for lease in ("mine", "unknown"):
        with pytest.raises(LaunchError, match="lost the right"):
            leased(jobs, "sleep 600", lease)


def test_leases_outlive_a_lost_guardian(jobs: Jobs) -> None:
    jobs.launcher.renew(["mine"], lease_clock() + 60)
    job = leased(jobs, "sleep 600", "mine")
    assert jobs.launcher.guardian_pid
    os.kill(jobs.launcher.guardian_pid, signal.SIGKILL)
    assert job.finish(10).cause == Cause.LOST

    assert leased(jobs, "exit 3", "mine").finish().exit == Exit(code=3)


def test_a_stopped_worker_cannot_keep_a_job_beyond_its_lease() -> None:
    entry = f"MARK={os.getpid()}-stopped"
    program = WORKER_WITH_LEASE.format(name=entry.removeprefix("MARK="))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        worker.stdout.readline()
        assert marked(entry)
        os.kill(worker.pid, signal.SIGSTOP)

        until(lambda: not marked(entry), seconds=5, what="the job is gone while its worker stands")

        os.kill(worker.pid, signal.SIGKILL)
