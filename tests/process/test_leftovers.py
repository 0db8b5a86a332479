"""Processes that outlive their program, and what becomes of them."""

from __future__ import annotations

import time

from tests.process.running import Jobs, alive, marked
from tests.support.poll import until
from webjobs.runner.ending import Cause
from webjobs.runner.launcher import Exit


def test_a_grandchild_that_keeps_the_pipe_ends_with_the_run(jobs: Jobs) -> None:
    job = jobs.sh("sleep 600 & echo started")
    end = job.finish()
    assert end.exit == Exit(code=0)
    assert 1.5 < end.lived < 3.5
    assert job.out == b"started\n"
    assert marked(job.marker) == []


def test_a_grandchild_may_print_its_last_lines(jobs: Jobs) -> None:
    job = jobs.start("bash", "-c", "exec > >(sed s/^/:/; sleep 0.3; echo end); echo line")
    end = job.finish()
    assert job.out == b":line\nend\n"
    assert end.lived < 1.5


def test_a_grandchild_in_its_own_session_ends_with_the_run(jobs: Jobs) -> None:
    job = jobs.sh("setsid sleep 600 >/dev/null 2>&1 & sleep 0.1")
    job.finish()
    assert marked(job.marker) == []


def test_a_daemon_ends_with_the_run(jobs: Jobs) -> None:
    program = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        for fd in (0, 1, 2): os.close(fd)\n"
        "        time.sleep(600)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "time.sleep(0.2)\n"
    )
    job = jobs.python(program)
    until(lambda: len(marked(job.marker)) == 2)
    job.finish()
    assert marked(job.marker) == []


def test_a_daemon_without_a_trace_ends_with_the_run(jobs: Jobs) -> None:
    script = "env -i setsid sh -c 'echo $$; exec sleep 600' & sleep 0.2; exit 0"
    job = jobs.sh(script)
    job.finish()
    until(lambda: not alive(int(job.out)))


def test_a_daemon_of_one_run_is_not_taken_for_another(jobs: Jobs) -> None:
    steady = jobs.sh("(setsid sh -c 'echo $$; exec sleep 600' &); sleep 600")
    steady.until_printed(b"\n")
    daemon = int(steady.out)
    until(lambda: marked(steady.marker))
    jobs.sh("setsid sleep 600 & exit 0").finish()
    assert alive(daemon)
    assert alive(steady.child.process.pid)


def test_what_one_run_leaves_does_not_hold_up_another(jobs: Jobs) -> None:
    slow = jobs.sh("sleep 600 & exit 0")
    before = time.monotonic()
    for _ in range(10):
        jobs.start("true").finish()
    assert time.monotonic() - before < 1.5
    assert slow.child.end is None
    slow.finish()


def test_a_stop_during_the_last_moments_ends_them(jobs: Jobs) -> None:
    job = jobs.sh("(trap '' TERM; sleep 600) & echo up; exit 0")
    job.until_printed(b"up")
    until(lambda: not alive(job.child.process.pid))
    before = time.monotonic()
    job.child.request_stop(Cause.STOPPED, kill_now=True)
    assert job.finish().exit == Exit(code=0)
    assert time.monotonic() - before < 1
