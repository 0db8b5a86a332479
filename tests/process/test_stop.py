"""The stop sequence: shutdown file, TERM, grace, KILL."""

from __future__ import annotations

import re
import time

import pytest

from tests.process.running import Jobs, alive, command_of, marked
from tests.support.poll import until
from webjobs.runner.ending import Cause, Limits
from webjobs.runner.launcher import Exit

TERM_AT_ONCE = Limits(grace=10.0, term_at_once=True)
FILE_FIRST = Limits(grace=10.0, term_at_once=False)
POLLS_THE_FILE = 'echo up; while [ ! -e "$WEBJOBS_SHUTDOWN_FILE" ]; do sleep 0.05; done; '
TRAPS = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 60; done"


def test_it_creates_the_shutdown_file_at_once_with_the_time(jobs: Jobs) -> None:
    job = jobs.sh("trap '' TERM; echo up; sleep 60", limits=FILE_FIRST)
    job.until_printed(b"up")
    job.child.request_stop(Cause.STOPPED)
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", job.shutdown_file.read_text())
    job.child.request_stop(Cause.STOPPED, kill_now=True)
    job.finish()


def test_it_creates_the_folder_of_the_shutdown_file(jobs: Jobs) -> None:
    job = jobs.sh(POLLS_THE_FILE, limits=FILE_FIRST)
    job.until_printed(b"up")
    deep = jobs.folder / "a" / "b" / "stop"
    job.child._shutdown_file = deep
    job.child.request_stop(Cause.STOPPED)
    assert deep.exists()
    job.child.request_stop(Cause.STOPPED, kill_now=True)
    job.finish()


def test_a_job_that_polls_the_file_finishes_within_its_grace(jobs: Jobs) -> None:
    job = jobs.sh(POLLS_THE_FILE + "echo tidying; sleep 1; echo done; exit 0", limits=FILE_FIRST)
    job.until_printed(b"up")
    job.child.request_stop(Cause.STOPPED)
    end = job.finish()
    assert (end.cause, end.exit) == (Cause.STOPPED, Exit(code=0))
    assert job.out == b"up\ntidying\ndone\n"
    assert end.reason == "It was asked to stop. The process exited with code 0."


def test_the_shutdown_file_is_gone_after_the_end(jobs: Jobs) -> None:
    job = jobs.sh(POLLS_THE_FILE, limits=FILE_FIRST)
    job.until_printed(b"up")
    job.child.request_stop(Cause.STOPPED)
    job.finish()
    assert not job.shutdown_file.exists()


@pytest.mark.parametrize("limits", [TERM_AT_ONCE, FILE_FIRST])
def test_a_job_that_traps_term_cleans_up_at_once(jobs: Jobs, limits: Limits) -> None:
    job = jobs.sh(TRAPS, limits=limits)
    job.until_printed(b"up")
    # A shell that is hit just before it starts its next command runs that first.
    until(lambda: "sleep" in map(command_of, marked(job.marker)))
    before = time.monotonic()
    job.child.request_stop(Cause.STOPPED)
    assert job.finish().exit == Exit(code=7)
    assert time.monotonic() - before < 3
    assert job.out == b"up\nbye\n"


def test_term_reaches_a_handler_below_a_shell_without_one(jobs: Jobs) -> None:
    program = (
        "import signal, sys, time; "
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye'))); "
        "print('up', flush=True); time.sleep(60)"
    )
    job = jobs.sh(f'python3 -c "{program}"; echo after', limits=FILE_FIRST)
    job.until_printed(b"up")
    job.child.request_stop(Cause.STOPPED)
    assert job.finish().exit == Exit(code=0)
    assert job.out == b"up\nbye\nafter\n"


def test_term_at_once_ends_a_whole_group(jobs: Jobs) -> None:
    job = jobs.sh("sleep 60 & sleep 60 & echo up; wait", limits=TERM_AT_ONCE)
    job.until_printed(b"up")
    before = time.monotonic()
    job.child.request_stop(Cause.STOPPED)
    end = job.finish()
    assert time.monotonic() - before < 3
    assert end.exit == Exit(signal=15)
    assert marked(job.marker) == []


def test_term_wakes_a_stopped_process(jobs: Jobs) -> None:
    job = jobs.sh("echo up; kill -STOP $$; sleep 60", limits=TERM_AT_ONCE)
    job.until_printed(b"up")
    job.child.request_stop(Cause.STOPPED)
    assert job.finish(5).exit == Exit(signal=15)


def test_what_ignores_term_is_killed_after_its_grace(jobs: Jobs) -> None:
    job = jobs.sh("trap '' TERM; echo up; while :; do sleep 1; done", limits=Limits(grace=0.7))
    job.until_printed(b"up")
    before = time.monotonic()
    job.child.request_stop(Cause.STOPPED)
    end = job.finish()
    assert 0.7 <= time.monotonic() - before < 3
    assert end.exit == Exit(signal=9)
    assert end.reason == (
        "It was asked to stop. The process was killed: it had not ended within 0.7 seconds."
    )


def test_a_second_request_does_not_prolong_the_grace(jobs: Jobs) -> None:
    job = jobs.sh("trap '' TERM; echo up; while :; do sleep 1; done", limits=Limits(grace=0.6))
    job.until_printed(b"up")
    before = time.monotonic()
    job.child.request_stop(Cause.STOPPED)
    while job.child.end is None:
        job.step(0.1)
        job.child.request_stop(Cause.SHUTDOWN)
        assert time.monotonic() - before < 5
    assert job.child.end.cause is Cause.STOPPED


def test_kill_now_kills_at_once_after_a_request(jobs: Jobs) -> None:
    job = jobs.sh("trap '' TERM; echo up; while :; do sleep 1; done")
    job.until_printed(b"up")
    job.child.request_stop(Cause.STOPPED)
    job.step(0.2)
    before = time.monotonic()
    job.child.request_stop(Cause.STOPPED, kill_now=True)
    assert job.finish().exit == Exit(signal=9)
    assert time.monotonic() - before < 1


def test_no_grace_means_kill(jobs: Jobs) -> None:
    job = jobs.sh("trap '' TERM; echo up; while :; do sleep 1; done", limits=Limits(grace=0))
    job.until_printed(b"up")
    job.child.request_stop(Cause.SHUTDOWN)
    end = job.finish()
    assert end.reason == "This instance is shutting down. The process was killed."


def test_a_kill_takes_sessions_and_daemons_along(jobs: Jobs) -> None:
    job = jobs.sh(
        "setsid sleep 600 & (setsid sh -c 'sleep 600 & sleep 600' &) & sleep 0.2; echo up; wait"
    )
    job.until_printed(b"up")
    until(lambda: len(marked(job.marker)) >= 5)
    job.child.request_stop(Cause.STOPPED, kill_now=True)
    job.finish()
    assert marked(job.marker) == []


def test_a_kill_catches_what_keeps_forking(jobs: Jobs) -> None:
    program = (
        "import os, time\n"
        "print('up', flush=True)\n"
        "while True:\n"
        "    if os.fork():\n"
        "        os._exit(0)\n"
        "    os.setsid()\n"
    )
    job = jobs.sh(f'python3 -c "{program}"; sleep 600')
    job.until_printed(b"up")
    job.child.request_stop(Cause.STOPPED, kill_now=True)
    job.finish()
    assert [pid for pid in marked(job.marker) if alive(pid)] == []


def test_a_stop_after_the_end_changes_nothing(jobs: Jobs) -> None:
    job = jobs.sh("exit 4")
    until(lambda: not alive(job.child.process.pid))
    until(lambda: job.child.process.poll())
    job.child.request_stop(Cause.STOPPED)
    assert job.finish().cause is Cause.EXITED
    job.child.request_stop(Cause.STOPPED, kill_now=True)
    assert not job.shutdown_file.exists()


def test_a_stop_without_a_place_for_the_file_still_ends_the_job(jobs: Jobs) -> None:
    (jobs.folder / "file").write_text("")
    job = jobs.sh("echo up; sleep 60", limits=FILE_FIRST)
    job.until_printed(b"up")
    job.child._shutdown_file = jobs.folder / "file" / "stop"
    job.child.request_stop(Cause.STOPPED)
    assert job.finish(5).exit == Exit(signal=15)
