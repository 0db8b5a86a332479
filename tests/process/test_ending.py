"""How a process ends by itself, and what it printed until then."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import time
from pathlib import Path

import pytest

from tests.process.running import PATH, Jobs, alive, no_tick
from tests.support.poll import until
from webjobs.runner.child import Child
from webjobs.runner.ending import Cause, Limits
from webjobs.runner.launcher import Exit, LaunchError
from webjobs.states import Stream


def test_it_tells_the_exit_code(jobs: Jobs) -> None:
    end = jobs.sh("exit 3").finish()
    assert (end.cause, end.exit) == (Cause.EXITED, Exit(code=3))
    assert end.reason == "The process exited with code 3."


def test_it_tells_success(jobs: Jobs) -> None:
    assert jobs.start("true").finish().exit == Exit(code=0)


def test_it_tells_the_signal_that_ended_the_process(jobs: Jobs) -> None:
    end = jobs.sh("kill -SEGV $$").finish()
    assert end.exit == Exit(signal=11)
    assert end.reason == "The process was ended by signal 11 (SIGSEGV)."


def test_it_says_that_a_kill_was_not_its_own(jobs: Jobs) -> None:
    end = jobs.sh("kill -9 $$").finish()
    assert end.exit == Exit(signal=9)
    assert end.reason.startswith("The process was ended by signal 9 (SIGKILL). It was not sent")


def test_it_explains_what_shells_mean_by_their_codes(jobs: Jobs) -> None:
    assert "a command was not found" in jobs.sh("no-such-command").finish().reason
    assert (
        "signal 11 (SIGSEGV) ended a command"
        in jobs.sh("sh -c 'kill -11 $$'; exit").finish().reason
    )


def test_it_tells_how_long_the_process_lived(jobs: Jobs) -> None:
    assert 0.5 <= jobs.start("sleep", "0.5").finish().lived < 5


def test_it_keeps_both_streams_apart(jobs: Jobs) -> None:
    job = jobs.sh("echo one; echo two >&2; echo three")
    job.finish()
    assert (job.out, job.err) == (b"one\nthree\n", b"two\n")


def test_it_hands_over_output_while_the_process_runs(jobs: Jobs) -> None:
    job = jobs.sh("echo now; exec sleep 60")
    before = time.time()
    job.until_printed(b"now\n")
    assert before - 1 < job.pieces[0][2] < time.time() + 1
    job.child.request_stop(Cause.STOPPED, kill_now=True)
    job.finish()


def test_it_keeps_output_byte_for_byte(jobs: Jobs) -> None:
    every_byte = bytes(range(256)) * 3
    job = jobs.python("import sys; sys.stdout.buffer.write(bytes(range(256)) * 3)")
    job.finish()
    assert job.out == every_byte


def test_it_keeps_a_line_without_an_end_and_half_a_character(jobs: Jobs) -> None:
    job = jobs.sh(r"printf 'caf\303'")
    job.finish()
    assert job.out == b"caf\xc3"


def test_it_keeps_what_is_printed_just_before_the_exit(jobs: Jobs) -> None:
    job = jobs.python("import sys; sys.stdout.write('x' * 60000); sys.exit(4)")
    assert job.finish().exit.code == 4
    assert job.out == b"x" * 60000


def test_it_masks_secrets_in_both_streams(jobs: Jobs) -> None:
    script = "printf hun; sleep 0.05; echo ter2; echo my hunter2 >&2"
    job = jobs.start("sh", "-c", script, secrets=[b"hunter2"])
    job.finish()
    assert (job.out, job.err) == (b"***\n", b"my ***\n")


def test_it_does_not_hold_a_live_line_back(jobs: Jobs) -> None:
    job = jobs.start("sh", "-c", "printf 'go hunt'; exec sleep 60", secrets=[b"hunter2"])
    before = time.monotonic()
    job.until_printed(b"go hunt")
    assert time.monotonic() - before < 2
    job.child.request_stop(Cause.STOPPED, kill_now=True)
    job.finish()


def test_100_megabytes_come_byte_for_byte_in_little_memory(jobs: Jobs) -> None:
    program = (
        "import hashlib, os, sys\n"
        "digest = hashlib.sha256()\n"
        "for block in range(100):\n"
        "    data = os.urandom(1 << 20)\n"
        "    digest.update(data)\n"
        "    sys.stdout.buffer.write(data)\n"
        "sys.stderr.write(digest.hexdigest())\n"
    )
    digest = hashlib.sha256()
    errors: list[bytes] = []

    def sink(stream: Stream, data: bytes, at: float) -> None:
        if stream is Stream.OUT:
            digest.update(data)
        else:
            errors.append(data)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    process = jobs.python(program).child.process
    stop = jobs.folder / "stop"
    child = Child(process, sink=sink, limits=Limits(grace=5), shutdown_file=stop)
    child.drive(-1, no_tick)
    assert b"".join(errors).decode() == digest.hexdigest()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10 * 1024


def test_a_slow_sink_slows_the_process_and_loses_nothing(jobs: Jobs) -> None:
    job = jobs.sh("head -c 3000000 /dev/zero; echo end >&2")
    for _ in range(20):
        job.step(0.05)
        assert job.err == b""
        if len(job.out) >= 1_000_000:
            break
    time.sleep(0.3)  # nobody reads meanwhile
    assert job.finish().exit.code == 0
    assert len(job.out) == 3_000_000


def test_it_lives_on_after_it_closed_its_output(jobs: Jobs) -> None:
    job = jobs.sh("exec >&- 2>&-; sleep 0.6; exit 5")
    end = job.finish()
    assert end.exit.code == 5
    assert end.lived >= 0.6


def test_it_can_delete_its_own_working_directory(jobs: Jobs) -> None:
    place = jobs.folder / "place"
    place.mkdir()
    job = jobs.start("sh", "-c", 'rm -r "$PWD"; echo done', cwd=place)
    assert job.finish().exit.code == 0
    assert job.out == b"done\n"
    assert not place.exists()


def test_it_reads_nothing_from_its_input(jobs: Jobs) -> None:
    job = jobs.sh("cat; echo end")
    job.finish()
    assert job.out == b"end\n"


def test_the_environment_is_exactly_what_was_given(jobs: Jobs) -> None:
    given = {"PATH": PATH, "ONE": "1=1", "EMPTY": "", "ÜMLAUT": "ä\nö", "MARK": "x"}
    process = jobs.launcher.launch(["env", "-0"], cwd=jobs.folder, env=given, marker="MARK=x")
    pieces: list[bytes] = []
    stop = jobs.folder / "stop"
    child = Child(
        process, sink=lambda *piece: pieces.append(piece[1]), limits=Limits(1), shutdown_file=stop
    )
    child.drive(-1, no_tick)
    expected = {f"{name}={value}" for name, value in given.items()}
    assert set(b"".join(pieces).decode().rstrip("\0").split("\0")) == expected


def test_the_process_inherits_no_descriptor_and_no_ignored_signal(jobs: Jobs) -> None:
    job = jobs.sh("ls /proc/self/fd; grep SigIgn /proc/self/status")
    job.finish()
    *descriptors, ignored = job.out.decode().splitlines()
    assert descriptors == ["0", "1", "2", "3"]  # 3 is that of ls itself
    # Without 32 and 33: they belong to the C library, and make leaves them ignored.
    assert int(ignored.split()[1], 16) & ~(3 << 31) == 0


def test_the_process_leads_its_own_session_in_the_given_folder(jobs: Jobs) -> None:
    job = jobs.python("import os; print(os.getsid(0) == os.getpid(), os.getcwd())")
    job.finish()
    assert job.out.decode().split() == ["True", str(jobs.folder)]


def test_arguments_arrive_as_they_are(jobs: Jobs) -> None:
    arguments = ["a b", "", "$HOME", "*", "ä", "'\"", "-x", "\n"]
    program = "import sys; sys.stdout.write('\\0'.join(sys.argv[1:]))"
    job = jobs.start("python3", "-c", program, *arguments)
    job.finish()
    assert job.out.decode().split("\0") == arguments


class TestWhatCannotStart:
    def test_a_program_that_is_not_there(self, jobs: Jobs) -> None:
        with pytest.raises(LaunchError, match="The program no-such-program was not found"):
            jobs.start("no-such-program")

    def test_a_file_without_permission(self, jobs: Jobs) -> None:
        script = jobs.folder / "run.sh"
        script.write_text("#!/bin/sh\n")
        with pytest.raises(LaunchError, match=r"not executable.*chmod \+x"):
            jobs.start(str(script))

    def test_a_script_whose_interpreter_is_missing(self, jobs: Jobs) -> None:
        script = jobs.folder / "run.sh"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o755)
        with pytest.raises(LaunchError, match="interpreter named in its first line"):
            jobs.start(str(script))

    def test_a_file_that_is_no_program(self, jobs: Jobs) -> None:
        script = jobs.folder / "run"
        script.write_text("hello\n")
        script.chmod(0o755)
        with pytest.raises(LaunchError, match="no program.*#! line"):
            jobs.start(str(script))

    def test_a_working_directory_that_is_gone(self, jobs: Jobs) -> None:
        gone = jobs.folder / "gone"
        gone.mkdir()
        shutil.rmtree(gone)
        with pytest.raises(LaunchError, match="working directory .*gone could not be entered"):
            jobs.start("true", cwd=gone)

    def test_arguments_that_are_too_long(self, jobs: Jobs) -> None:
        with pytest.raises(LaunchError, match="too long"):
            jobs.start("true", "x" * 3_000_000)

    def test_an_argument_with_a_nul(self, jobs: Jobs) -> None:
        with pytest.raises(LaunchError, match="NUL"):
            jobs.start("true", "a\0b")

    def test_and_nothing_of_it_stays_behind(self, jobs: Jobs) -> None:
        before = set(os.listdir("/proc/self/fd"))
        for _ in range(5):
            with pytest.raises(LaunchError):
                jobs.start("no-such-program")
        assert set(os.listdir("/proc/self/fd")) == before
        assert jobs.start("true").finish().exit.code == 0


def test_a_finished_job_keeps_no_descriptor(jobs: Jobs) -> None:
    guardian = jobs.launcher.guardian_pid
    places = [Path("/proc/self/fd"), Path(f"/proc/{guardian}/fd")]

    def count() -> list[int]:
        return [len(os.listdir(place)) for place in places]

    jobs.start("true").finish()
    before = count()
    for _ in range(20):
        jobs.sh("echo x").finish()
    # The guardian closes its own a moment after it told the end, the first time too.
    until(lambda: all(now <= then for now, then in zip(count(), before, strict=True)))
    assert guardian is not None
    assert alive(guardian)
