"""Every sample is a good package, and runs as a user would see it run."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.process.running import Job, alive, marked
from tests.support.needs import needs
from webjobs.runner import wine
from webjobs.runner.child import Cause, Child, Limits
from webjobs.runner.environment import JobContext, build_environment, marker_entry, search_path
from webjobs.runner.extraction import zip_folder
from webjobs.runner.interpreters import available, command_for, table
from webjobs.runner.launcher import Launcher
from webjobs.runner.package import Package, check
from webjobs.runner.workdir import JobFiles, JobKey, WorkingCopy, Workspace
from webjobs.states import JobType

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())
HELLO = [
    pytest.param("cmd", marks=needs("wine")),
    pytest.param("bat", marks=needs("wine")),
    pytest.param("exe", marks=needs("wine")),
    pytest.param("ps1", marks=needs("pwsh")),
    "sh",
    "py",
    pytest.param("php", marks=needs("php")),
    pytest.param("js", marks=needs("node")),
    pytest.param("jar", marks=needs("java")),
]


@dataclass
class Started:
    """A sample that runs, and what it runs with."""

    job: Job
    copy: WorkingCopy
    prefix: Path | None

    @property
    def lines(self) -> list[str]:
        return self.job.out.decode().splitlines()


@dataclass
class Bench:
    """Runs packages as the worker does, without its database."""

    launcher: Launcher
    wine: wine.Wine
    folder: Path
    path: str = field(default_factory=lambda: search_path(os.environ["PATH"]))

    def __post_init__(self) -> None:
        self.workspace = Workspace(self.folder / "root")

    def package(self, sample: Path) -> Package:
        target = self.folder / f"{sample.name}.zip"
        zip_folder(sample, target)
        return check(target, target.name)

    def prepare(self, sample: Path) -> WorkingCopy:
        package = self.package(sample)
        return self.workspace.prepare(
            JobFiles(
                key=JobKey("demo", "production", JobType.TRIGGERED, sample.name),
                sha256=package.sha256,
                kind=package.kind,
                file_name=package.file_name,
                script=package.script,
                settings=package.settings.to_dict(),
                in_place=package.settings.runs_in_place(package.script),
                open_package=lambda: (self.folder / f"{sample.name}.zip").open("rb"),
            )
        )

    def start(self, sample: Path, *arguments: str, **settings: str) -> Started:
        copy = self.prepare(sample)
        command = command_for(copy.script, arguments, table(), self.path)
        prefix = None
        if wine.is_wine(command[0]):
            prefix = self.wine.new_prefix(command[0], copy.temp_dir)
        context = JobContext(
            app="demo",
            slot="production",
            job_name=sample.name,
            job_type=JobType.TRIGGERED,
            run_id="202601020304050607",
            arguments=" ".join(arguments),
            settings=settings,
            instance_id="0123456789ab",
            home=copy.home,
            working_dir=copy.folder,
            data_path=copy.data_path,
            temp_dir=copy.temp_dir,
            shutdown_file=copy.shutdown_file,
            port=None,
            marker=copy.shutdown_file.name,
            extra=wine.environment(prefix) if prefix else {},
            windows_paths=prefix is not None,
        )
        marker = marker_entry(context)
        environment = build_environment(context, os.environ)
        process = self.launcher.launch(
            command, cwd=copy.script.parent, env=environment, marker=marker
        )
        job = Job(
            Child(
                process,
                sink=lambda *piece: job.pieces.append(piece),
                limits=Limits(grace=20.0),
                shutdown_file=copy.shutdown_file,
            ),
            marker,
            [],
            copy.shutdown_file,
        )
        return Started(job, copy, prefix)

    def finish(self, started: Started) -> int | None:
        """The exit code, when nothing of it is left."""
        end = started.job.finish(60)
        assert [pid for pid in marked(started.job.marker) if alive(pid)] == []
        if started.prefix:
            self.wine.discard(started.prefix)
        self.workspace.release(started.copy)
        return end.exit.code


@pytest.fixture(scope="module")
def windows() -> Iterator[wine.Wine]:
    """One Wine template for all tests of a process, as one worker has; it takes 10 seconds."""
    folder = Path(tempfile.mkdtemp(prefix="webjobs-wine-"))
    yield wine.Wine(folder)
    shutil.rmtree(folder)


@pytest.fixture
def bench(tmp_path: Path, windows: wine.Wine) -> Iterator[Bench]:
    launcher = Launcher()
    launcher.start()
    yield Bench(launcher, windows, tmp_path)
    launcher.close()


def write_job(folder: Path, name: str, text: str) -> Path:
    """A job of one script, as one would write it on Windows."""
    folder.mkdir()
    (folder / name).write_text(text.replace("\n", "\r\n"), newline="")
    return folder


def test_there_is_a_sample_for_every_type() -> None:
    types = {f"hello-{extension[1:]}" for extension in table()}
    assert set(NAMES) == types | {"demo-continuous", "demo-manual", "demo-scheduled"}


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_a_small_package_and_in_the_readme(bench: Bench, name: str) -> None:
    package = bench.package(SAMPLES / name)
    assert package.script.startswith("run.")
    assert package.size < 16 * 1024
    assert f"`{name}`" in (SAMPLES / "README.md").read_text()


@pytest.mark.parametrize("extension", HELLO)
def test_hello_prints_its_arguments_and_variables(bench: Bench, extension: str) -> None:
    assert available(table(), bench.path)[f".{extension}"]
    name = f"hello-{extension}"
    started = bench.start(SAMPLES / name, "one", "two words")
    assert bench.finish(started) == 0, started.job.err
    is_wine = started.prefix is not None
    folder, data = str(started.copy.folder), str(started.copy.data_path)
    if is_wine:
        folder, data = ("Z:" + path.replace("/", "\\") for path in (folder, data))
    assert [line.rstrip() for line in started.lines] == [
        f"Hello from {'an' if extension == 'exe' else 'a'} .{extension} WebJob",
        "Arguments: one " + ('"two words"' if is_wine else "two words"),
        f"WEBJOBS_NAME={name}",
        "WEBJOBS_TYPE=triggered",
        "WEBJOBS_RUN_ID=202601020304050607",
        f"WEBJOBS_PATH={folder}",
        f"WEBJOBS_DATA_PATH={data}",
    ]
    assert started.job.err == b""


def test_the_continuous_demo_beats_until_it_is_asked_to_stop(bench: Bench) -> None:
    started = bench.start(SAMPLES / "demo-continuous", HEARTBEAT_SECONDS="1")
    started.job.until_printed(b"beat 2")
    started.job.child.request_stop(Cause.STOPPED)
    assert bench.finish(started) == 0
    assert started.lines[-1].endswith("beats: finished in order")


def test_the_manual_demo_writes_its_report(bench: Bench) -> None:
    started = bench.start(SAMPLES / "demo-manual", "North", REPORT_SECONDS="0.2")
    assert bench.finish(started) == 0, started.job.err
    assert "[####################] 100 %" in started.lines
    assert (started.copy.data_path / "report.csv").read_text().startswith("region,sales")


def test_the_scheduled_demo_runs_every_five_minutes_and_keeps_notes(bench: Bench) -> None:
    assert bench.package(SAMPLES / "demo-scheduled").settings.schedule == "0 */5 * * * *"
    for notes in (1, 2):
        started = bench.start(SAMPLES / "demo-scheduled")
        assert bench.finish(started) == 0
        assert len(started.lines) == 2 + notes


def test_a_wine_that_does_not_get_ready_is_told_in_words(tmp_path: Path) -> None:
    program = tmp_path / "wine"
    program.write_text("#!/bin/sh\necho no such library >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(wine.WineError, match="exit code 3: no such library"):
        wine.Wine(tmp_path / "root").new_prefix(str(program), tmp_path)
    assert list((tmp_path / "root").iterdir()) == []


@needs("wine")
@pytest.mark.xdist_group("wine")
class TestWine:
    def test_exit_codes_and_both_streams_come_through(self, bench: Bench, tmp_path: Path) -> None:
        text = "@echo off\necho out\necho err 1>&2\nexit /b 7\n"
        started = bench.start(write_job(tmp_path / "exit", "run.cmd", text))
        assert bench.finish(started) == 7
        assert started.job.out.split() == [b"out"]
        assert started.job.err.split() == [b"err"]

    def test_a_script_sees_its_files_and_its_shutdown_file(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        text = (
            "@echo off\n"
            'if exist "%WEBJOBS_PATH%\\run.cmd" echo path\n'
            'echo x> "%WEBJOBS_DATA_PATH%\\state.txt"\n'
            'echo x> "%TEMP%\\scrap.txt"\n'
            "echo ready\n"
            ":wait\n"
            'if not exist "%WEBJOBS_SHUTDOWN_FILE%" goto wait\n'
            "echo stopped\n"
        )
        started = bench.start(write_job(tmp_path / "paths", "run.cmd", text))
        started.job.until_printed(b"ready", 30)
        started.copy.shutdown_file.touch()
        assert bench.finish(started) == 0
        assert [line.strip() for line in started.lines] == ["path", "ready", "stopped"]
        assert (started.copy.data_path / "state.txt").exists()
        assert (started.copy.temp_dir / "scrap.txt").exists()

    def test_the_end_of_one_run_does_not_disturb_another(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        text = (
            "@echo off\necho ready\n:wait\n"
            'if not exist "%WEBJOBS_SHUTDOWN_FILE%" goto wait\nexit /b 5\n'
        )
        long = bench.start(write_job(tmp_path / "long", "run.cmd", text))
        long.job.until_printed(b"ready", 30)
        short = bench.start(SAMPLES / "hello-cmd")
        assert bench.finish(short) == 0
        assert long.job.child.end is None
        long.copy.shutdown_file.touch()
        assert bench.finish(long) == 5

    def test_a_killed_run_leaves_nothing_and_the_next_one_runs(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        text = "@echo off\necho ready\n:wait\ngoto wait\n"
        endless = bench.start(write_job(tmp_path / "endless", "run.cmd", text))
        endless.job.until_printed(b"ready", 30)
        endless.job.child.request_stop(Cause.STOPPED, kill_now=True)
        bench.finish(endless)
        assert bench.finish(bench.start(SAMPLES / "hello-exe")) == 0
        assert list(bench.wine.root.glob("run-*")) == []

    def test_a_program_that_is_none_fails(self, bench: Bench, tmp_path: Path) -> None:
        started = bench.start(write_job(tmp_path / "broken", "run.exe", "no program"))
        assert bench.finish(started) not in (0, None)

    def test_a_run_takes_little_longer_than_wine_itself(self, bench: Bench) -> None:
        bench.finish(bench.start(SAMPLES / "hello-exe"))
        begin = time.monotonic()
        bench.finish(bench.start(SAMPLES / "hello-exe"))
        assert time.monotonic() - begin < 5
