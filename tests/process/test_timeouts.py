"""Idle timeout and maximum run time."""

from __future__ import annotations

import time

from tests.process.running import Jobs
from webjobs.runner.ending import Cause, Limits
from webjobs.runner.launcher import Exit

IDLE = Limits(grace=5.0, idle_timeout=1.0)


def test_a_job_that_does_nothing_is_stopped_at_the_set_time(jobs: Jobs) -> None:
    end = jobs.start("sleep", "60", limits=IDLE).finish()
    assert end.cause is Cause.IDLE_TIMEOUT
    assert 1.0 <= end.lived < 1.6
    assert end.reason.startswith(
        "Nothing was printed and no CPU time was used for 1 second (WEBJOBS_IDLE_TIMEOUT);"
    )


def test_the_time_counts_from_the_last_output(jobs: Jobs) -> None:
    end = jobs.sh("sleep 0.7; echo x; exec sleep 60", limits=IDLE).finish()
    assert end.cause is Cause.IDLE_TIMEOUT
    assert 1.7 <= end.lived < 2.4


def test_a_job_that_prints_is_not_idle(jobs: Jobs) -> None:
    job = jobs.sh("for i in 1 2 3 4 5; do sleep 0.5; echo $i; done", limits=IDLE)
    assert job.finish().exit == Exit(code=0)


def test_a_job_that_computes_silently_is_not_idle(jobs: Jobs) -> None:
    job = jobs.python("import time\nwhile time.monotonic() and time.process_time() < 2: pass", IDLE)
    assert job.finish().exit == Exit(code=0)


def test_a_job_whose_child_computes_silently_is_not_idle(jobs: Jobs) -> None:
    program = "import time\nwhile time.process_time() < 2: pass"
    job = jobs.sh(f"setsid python3 -c '{program}'; true", limits=IDLE)
    assert job.finish().exit == Exit(code=0)


def test_a_job_that_starts_short_silent_commands_is_not_idle(jobs: Jobs) -> None:
    job = jobs.sh("for i in 1 2 3 4 5 6 7 8 9; do sleep 0.3; done", limits=IDLE)
    assert job.finish().exit == Exit(code=0)


def test_an_idle_job_may_clean_up(jobs: Jobs) -> None:
    job = jobs.sh("trap 'echo bye; exit 1' TERM; while :; do sleep 60; done", limits=IDLE)
    assert job.finish().cause is Cause.IDLE_TIMEOUT
    assert job.out == b"bye\n"


def test_a_silent_job_without_idle_timeout_lives(jobs: Jobs) -> None:
    job = jobs.sh("sleep 1.5; exit 6")
    assert job.child.deadline() is None
    assert job.finish().exit == Exit(code=6)


def test_a_job_is_stopped_after_its_maximum_run_time(jobs: Jobs) -> None:
    limits = Limits(grace=5.0, max_time=0.8)
    end = jobs.sh("while :; do echo x; sleep 0.1; done", limits=limits).finish()
    assert end.cause is Cause.MAX_RUN_TIME
    assert 0.8 <= end.lived < 1.5
    assert end.reason.startswith("It ran for 0.8 seconds, the most that is allowed (WEBJOBS_MAX")


def test_a_job_that_ignores_term_is_killed_after_its_maximum_and_grace(jobs: Jobs) -> None:
    limits = Limits(grace=0.5, max_time=0.5)
    end = jobs.sh("trap '' TERM; while :; do sleep 0.1; done", limits=limits).finish()
    assert (end.cause, end.exit) == (Cause.MAX_RUN_TIME, Exit(signal=9))
    assert 1.0 <= end.lived < 2


def test_waiting_costs_no_cpu_time(jobs: Jobs) -> None:
    job = jobs.start("sleep", "1.5", limits=Limits(grace=1, idle_timeout=120, max_time=100))
    before = time.process_time()
    job.finish()
    assert time.process_time() - before < 0.1
