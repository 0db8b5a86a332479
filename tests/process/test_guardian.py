"""No process outlives its worker, and a lost guardian costs no more than its jobs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.process.running import PATH, Job, Jobs, alive, marked, no_tick
from tests.support.poll import until
from webjobs.runner.child import Child
from webjobs.runner.ending import Cause, Limits
from webjobs.runner.launcher import Exit, Launcher, kill_strays

# Everything that a job can do to get away: background, session, daemon, ignoring signals.
CLINGS = (
    "trap '' TERM HUP INT; sleep 600 & setsid sleep 600 & "
    "(setsid sh -c 'sleep 600 & sleep 600' >/dev/null 2>&1 &); "
    "env -i setsid sleep 600 & echo up; sleep 600; sleep 600"
)
PROCESSES = 6  # with the marker; that of `env -i` has none
WITHOUT_MARKER = 3  # of three jobs

WORKER = """
import os, sys, time
from pathlib import Path
from webjobs.runner.launcher import Launcher
launcher = Launcher()
launcher.start()
name = sys.argv[1]
env = {"PATH": os.defpath, "MARK": name}
command = ["sh", "-c", sys.argv[2]]
jobs = [launcher.launch(command, cwd=Path("/"), env=env, marker="MARK=" + name) for _ in range(3)]
print(launcher.guardian_pid, *(job.pid for job in jobs), flush=True)
exec(sys.argv[3])
"""


class Worker:
    """Another process with a launcher and three clinging jobs."""

    def __init__(self, name: str, then: str) -> None:
        self.entry = f"MARK={os.getpid()}-{name}"
        arguments = [self.entry.removeprefix("MARK="), CLINGS, then]
        self.popen = subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.popen.stdout is not None
        self.guardian, *self.programs = map(int, self.popen.stdout.readline().split())
        until(lambda: len(marked(self.entry)) >= 3 * PROCESSES)

    def below(self) -> list[int]:
        """Every process below the guardian, those without the marker included."""
        text = subprocess.run(
            ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        ).stdout
        pairs = [tuple(map(int, line.split())) for line in text.splitlines()]
        found = {self.guardian}
        for _ in range(10):
            found |= {pid for pid, parent in pairs if parent in found}
        return sorted(found)

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)  # with what it forked
        self.popen.wait()
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        kill_strays(self.entry)

    def assert_all_gone(self, pids: list[int]) -> None:
        until(lambda: not any(map(alive, pids)), what="processes of the worker")
        assert marked(self.entry) == []


@pytest.fixture
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    made = Worker(request.node.name[:40], "time.sleep(600)")
    yield made
    made.close()


def test_everything_ends_with_a_killed_worker(worker: Worker) -> None:
    pids = worker.below()
    assert len(pids) >= 3 * (PROCESSES + 1) + 1
    worker.popen.kill()
    worker.popen.wait()
    worker.assert_all_gone(pids)


def test_everything_ends_although_a_fork_of_the_worker_holds_its_connection() -> None:
    worker = Worker("fork", "os.fork() or (time.sleep(20), os._exit(0)); time.sleep(600)")
    pids = worker.below()
    worker.popen.kill()
    worker.popen.wait()
    worker.assert_all_gone(pids)
    worker.close()


def test_everything_ends_with_a_terminated_worker(worker: Worker) -> None:
    pids = worker.below()
    worker.popen.send_signal(signal.SIGTERM)
    worker.popen.wait()
    worker.assert_all_gone(pids)


def test_the_programs_end_when_worker_and_guardian_are_killed_at_once(worker: Worker) -> None:
    pids = worker.below()
    # At once: it would use any moment that it has without the worker.
    os.kill(worker.guardian, signal.SIGSTOP)
    worker.popen.kill()
    os.kill(worker.guardian, signal.SIGKILL)
    worker.popen.wait()
    until(lambda: not any(map(alive, worker.programs)))
    # The next life of the worker looks for the others.
    assert kill_strays(worker.entry) >= 3 * (PROCESSES - 2)
    assert marked(worker.entry) == []
    # Who was killed a moment ago has no environment any more, and may still be on its way out.
    until(lambda: sum(map(alive, pids)) <= WITHOUT_MARKER, what="those that have the marker end")
    for pid in filter(alive, pids):
        os.kill(pid, signal.SIGKILL)


def test_the_guardian_ignores_the_signals_of_a_terminal(jobs: Jobs) -> None:
    guardian = jobs.launcher.guardian_pid
    assert guardian is not None
    jobs.start("true").finish()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guardian, number)
    assert jobs.sh("exit 3").finish().exit == Exit(code=3)
    assert jobs.launcher.guardian_pid == guardian


def kill_guardian(jobs: Jobs) -> int:
    guardian = jobs.launcher.guardian_pid
    assert guardian is not None
    os.kill(guardian, signal.SIGKILL)
    return guardian


def test_a_killed_guardian_takes_its_jobs_along(jobs: Jobs) -> None:
    job = jobs.sh(CLINGS.replace("env -i ", ""))
    job.until_printed(b"up")
    until(lambda: len(marked(job.marker)) >= PROCESSES)
    kill_guardian(jobs)
    end = job.finish(5)
    assert (end.cause, end.exit) == (Cause.LOST, Exit(lost=True))
    assert "ended unexpectedly" in end.reason
    assert marked(job.marker) == []


def test_a_new_guardian_serves_after_the_loss(jobs: Jobs) -> None:
    first = kill_guardian(jobs)
    until(lambda: not alive(first))
    assert jobs.sh("exit 3").finish().exit == Exit(code=3)
    assert jobs.launcher.guardian_pid != first


def test_the_loss_leaves_other_children_of_the_worker_alone(jobs: Jobs) -> None:
    job = jobs.start("sleep", "600")
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as other:
        kill_guardian(jobs)
        job.finish(5)
        assert other.poll() is None
        other.kill()


def test_close_ends_everything(tmp_path: Path) -> None:
    launcher = Launcher()
    jobs = Jobs(launcher, tmp_path)
    job = jobs.sh(CLINGS)
    job.until_printed(b"up")
    guardian = launcher.guardian_pid
    assert guardian is not None
    launcher.close()
    assert not alive(guardian)
    assert jobs.left() == []
    assert job.finish(5).exit == Exit(signal=9)


def test_close_twice_and_launch_again(jobs: Jobs) -> None:
    jobs.launcher.close()
    jobs.launcher.close()
    assert jobs.start("true").finish().exit == Exit(code=0)


def test_the_guardian_is_small(jobs: Jobs) -> None:
    for _ in range(50):
        jobs.start("true").finish()
    text = Path(f"/proc/{jobs.launcher.guardian_pid}/smaps_rollup").read_text()
    pss = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    assert pss < 16 * 1024


def test_one_thread_drives_fifty_children(jobs: Jobs) -> None:
    started = [
        jobs.sh(f"echo {number}; sleep 0.5; echo {number} >&2; exit {number}")
        for number in range(50)
    ]
    drive_all(started)
    assert [job.child.end and job.child.end.exit.code for job in started] == list(range(50))
    assert all(job.out == job.err == b"%d\n" % number for number, job in enumerate(started))


def drive_all(running: list[Job], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while any(job.child.end is None for job in running):
        assert time.monotonic() < give_up
        for job in running:
            if job.child.end is None:
                job.step(0)
        time.sleep(0.005)


def test_a_noisy_child_does_not_starve_a_quiet_one(jobs: Jobs) -> None:
    noisy = jobs.start("sh", "-c", "exec cat /dev/zero")
    quiet = jobs.sh("sleep 0.3; echo here; exit 2")
    give_up = time.monotonic() + 10
    while quiet.child.end is None:
        assert time.monotonic() < give_up
        noisy.step(0)
        noisy.pieces.clear()
        quiet.step(0)
    assert quiet.child.end.lived < 2
    noisy.child.request_stop(Cause.STOPPED, kill_now=True)
    noisy.finish()


def test_many_threads_launch_at_once(jobs: Jobs) -> None:
    codes: list[int | None] = []

    def work(number: int) -> None:
        for _ in range(10):
            codes.append(jobs.sh(f"exit {number}").finish().exit.code)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(code for code in codes if code is not None) == sorted([*range(8)] * 10)


def test_a_wake_up_calls_the_tick_at_once(jobs: Jobs) -> None:
    reader, writer = os.pipe()
    job = jobs.start("sleep", "600")
    threading.Timer(0.3, os.write, (writer, b"x")).start()
    before = time.monotonic()

    def stop() -> None:
        job.child.request_stop(Cause.STOPPED)

    end = job.child.drive(reader, stop, tick=60)
    assert time.monotonic() - before < 5
    assert end.cause is Cause.STOPPED
    os.close(reader)
    os.close(writer)


class TestWithoutProc:
    """Systems that have no /proc: process groups are what there is."""

    @pytest.fixture
    def plain(self, tmp_path: Path) -> Iterator[Jobs]:
        launcher = Launcher(proc_root=str(tmp_path / "no-proc"))
        launcher.start()
        yield Jobs(launcher, tmp_path)
        launcher.close()

    def test_it_tells_the_end(self, plain: Jobs) -> None:
        job = plain.sh("echo out; exit 3")
        assert job.finish().exit == Exit(code=3)
        assert job.out == b"out\n"

    def test_it_kills_what_is_left_of_the_group(self, plain: Jobs) -> None:
        job = plain.sh("sleep 600 & echo up; exit 0")
        end = job.finish()
        assert 1.5 < end.lived < 3.5
        assert plain.left() == []

    def test_it_stops_with_term_where_it_can_not_look_for_handlers(self, plain: Jobs) -> None:
        job = plain.sh("echo up; sleep 60", limits=Limits(grace=10, term_at_once=False))
        job.until_printed(b"up")
        job.child.request_stop(Cause.STOPPED)
        assert job.finish(5).exit == Exit(signal=15)

    def test_it_knows_idle_from_busy(self, plain: Jobs) -> None:
        limits = Limits(grace=5, idle_timeout=1.0)
        busy = plain.python("import time\nwhile time.process_time() < 1.5: pass", limits)
        idle = plain.start("sleep", "60", limits=limits)
        assert idle.finish().cause is Cause.IDLE_TIMEOUT
        assert busy.finish().exit == Exit(code=0)

    def test_it_ends_everything_on_close(self, plain: Jobs) -> None:
        job = plain.sh("trap '' TERM; sleep 600 & echo up; sleep 600; sleep 600")
        job.until_printed(b"up")
        plain.launcher.close()
        assert plain.left() == []


def test_a_child_with_a_broken_sink_can_still_be_ended(jobs: Jobs) -> None:
    def sink(*piece: object) -> None:
        raise OSError("disk full")

    env = {"PATH": PATH, "MARK": "broken-sink"}
    process = jobs.launcher.launch(
        ["sh", "-c", "echo x; sleep 600"], cwd=jobs.folder, env=env, marker="MARK=broken-sink"
    )
    stop = jobs.folder / "stop"
    child = Child(process, sink=sink, limits=Limits(grace=5), shutdown_file=stop)
    with pytest.raises(OSError, match="disk full"):
        child.drive(-1, no_tick)
    child.request_stop(Cause.STOPPED, kill_now=True)
    assert child.drive(-1, no_tick).exit == Exit(signal=9)
