"""The folders of a job on real disks: unpacked once, copied when changed, never lost."""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import pytest

from tests.support import zips
from tests.support.poll import until
from webjobs.runner.package import check
from webjobs.runner.settings_job import Json
from webjobs.runner.workdir import JobFiles, JobKey, WorkingCopy, Workspace, WorkspaceError
from webjobs.states import JobType

KEY = JobKey("shop", "production", JobType.TRIGGERED, "nightly")
SCRIPT = "#!/bin/sh\necho hello\n"


@dataclass
class Desk:
    """A workspace and packages for it."""

    folder: Path
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workspace = Workspace(self.folder / "root")

    def files(
        self,
        contents: dict[str, str | bytes] | None = None,
        *,
        key: JobKey = KEY,
        in_place: bool = False,
        settings: dict[str, Json] | None = None,
    ) -> JobFiles:
        path = zips.write(
            self.folder / "upload.zip", contents or {"run.sh": SCRIPT, "data.txt": "one"}
        )
        package = check(path, "upload.zip")
        data = path.read_bytes()

        def open_package() -> IO[bytes]:
            self.opened.append(package.sha256)
            return io.BytesIO(data)

        return JobFiles(
            key=key,
            sha256=package.sha256,
            kind=package.kind,
            file_name=package.file_name,
            script=package.script,
            settings=settings or {},
            in_place=in_place,
            open_package=open_package,
        )

    def run(self, files: JobFiles) -> WorkingCopy:
        """One execution that does nothing."""
        copy = self.workspace.prepare(files)
        self.workspace.release(copy)
        return copy


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_it_lays_the_folders_out_as_azure_does(desk: Desk) -> None:
    copy = desk.workspace.prepare(desk.files())
    home = desk.folder / "root" / "home" / "shop" / "production"
    site = home / "site" / "wwwroot" / "App_Data" / "jobs" / "triggered" / "nightly"
    assert copy.home == home
    assert sorted(path.name for path in site.iterdir()) == ["data.txt", "run.sh"]
    assert copy.data_path == home / "data" / "jobs" / "triggered" / "nightly"
    assert copy.data_path.is_dir()
    assert copy.temp_dir.is_dir()
    assert copy.shutdown_file.parent.is_dir()
    assert not copy.shutdown_file.exists()
    assert subprocess.check_output([copy.script], cwd=copy.script.parent) == b"hello\n"
    assert copy.script == copy.folder / "run.sh"
    assert copy.folder != site


def test_an_unchanged_job_reuses_its_copy_and_says_nothing(desk: Desk) -> None:
    files = desk.files()
    first = desk.run(files)
    (first.folder / "written by the job.txt").write_text("kept")
    second = desk.run(files)
    assert (second.folder, second.changes) == (first.folder, ())
    assert second.shutdown_file != first.shutdown_file
    assert desk.opened == [files.sha256]


def test_getting_ready_again_takes_less_than_a_millisecond(desk: Desk) -> None:
    files = desk.files({"run.sh": SCRIPT, "a.txt": "a", "b.txt": "b"}, settings={"x": 1})
    desk.run(files)
    times = []
    for _ in range(200):
        begin = time.perf_counter()
        desk.run(files)
        times.append(time.perf_counter() - begin)
    assert sorted(times)[100] < 0.001


def test_a_new_package_gives_a_fresh_copy(desk: Desk) -> None:
    old = desk.run(desk.files())
    new = desk.run(desk.files({"run.sh": SCRIPT, "more.txt": "two"}))
    assert sorted(path.name for path in new.folder.iterdir()) == ["more.txt", "run.sh"]
    assert not old.folder.exists()
    assert list(new.folder.parent.iterdir()) == [new.folder]


def test_a_package_with_equal_names_and_times_is_noticed(desk: Desk) -> None:
    desk.run(desk.files({"run.sh": "echo 1"}))
    path = desk.run(desk.files({"run.sh": "echo 2"})).script
    assert path.read_text() == "echo 2"


def test_the_old_copy_serves_as_long_as_it_runs(desk: Desk) -> None:
    running = desk.workspace.prepare(desk.files({"run.sh": "echo 1"}))
    other = desk.workspace.prepare(desk.files({"run.sh": "echo 2"}))
    assert running.script.read_text() == "echo 1"
    assert other.script.read_text() == "echo 2"
    desk.workspace.release(running)
    assert not running.folder.exists()
    assert other.script.exists()
    desk.workspace.release(other)
    assert other.script.exists()


def test_executions_at_once_have_a_copy_each_and_one_is_kept(desk: Desk) -> None:
    files = desk.files()
    copies = [desk.workspace.prepare(files) for _ in range(3)]
    assert len({copy.folder for copy in copies}) == 3
    assert len({copy.shutdown_file for copy in copies}) == 3
    copies[0].script.write_text("overwritten")
    assert copies[2].script.read_text() == SCRIPT
    for copy in copies:
        desk.workspace.release(copy)
    assert list(copies[0].folder.parent.iterdir()) == [copies[0].folder]


def test_a_new_package_while_several_execute_leaves_one_copy(desk: Desk) -> None:
    old = [desk.workspace.prepare(desk.files({"run.sh": "echo 1"})) for _ in range(2)]
    new = [desk.workspace.prepare(desk.files({"run.sh": "echo 2"})) for _ in range(2)]
    assert [copy.script.read_text() for copy in old + new] == ["echo 1"] * 2 + ["echo 2"] * 2
    for copy in old + new:
        desk.workspace.release(copy)
    assert list(new[0].folder.parent.iterdir()) == [new[0].folder]


def test_in_place_executions_at_once_share_the_site_folder(desk: Desk) -> None:
    files = desk.files(in_place=True)
    copies = [desk.workspace.prepare(files) for _ in range(2)]
    assert len({copy.folder for copy in copies}) == 1
    assert len({copy.shutdown_file for copy in copies}) == 2
    desk.workspace.release(copies[0])
    assert copies[1].script.exists()


CHANGES: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "touched": (
        lambda site, copy: os.utime(copy / "data.txt", (1, 1)),
        "'data.txt' timestamp differs between source and working directories.",
    ),
    "deleted by the job": (
        lambda site, copy: (copy / "data.txt").unlink(),
        "'data.txt' exists in source directory but not in working directory.",
    ),
    "added to the site": (
        lambda site, copy: (site / "new.txt").write_text("new"),
        "'new.txt' exists in source directory but not in working directory.",
    ),
    "deleted from the site": (
        lambda site, copy: (site / "data.txt").unlink(),
        "'data.txt' has been deleted.",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_file_gives_a_fresh_copy_and_a_line(desk: Desk, what: str) -> None:
    files = desk.files()
    old = desk.run(files)
    change, words = CHANGES[what]
    change(desk.workspace.folders(KEY).site, old.folder)
    new = desk.run(files)
    assert new.changes == (f"Job directory change detected: Job file {words}",)
    assert new.folder != old.folder
    site = desk.workspace.folders(KEY).site
    assert {p.name for p in new.folder.iterdir()} == {p.name for p in site.iterdir()}
    assert desk.run(files).changes == ()


@pytest.mark.parametrize("in_place", [False, True])
def test_a_job_that_deletes_its_folder_gets_a_fresh_one(desk: Desk, in_place: bool) -> None:
    files = desk.files(in_place=in_place)
    shutil.rmtree(desk.run(files).folder)
    again = desk.run(files)
    assert again.script.read_text() == SCRIPT
    assert (again.folder / "data.txt").exists()


def test_a_job_that_takes_its_own_rights_away_does_not_stay_for_ever(desk: Desk) -> None:
    old = desk.run(desk.files())
    inner = old.folder / "inner"
    inner.mkdir()
    (inner / "file").touch()
    inner.chmod(0)
    old.folder.chmod(0o500)
    desk.run(desk.files({"run.sh": "echo 2"}))
    assert not old.folder.exists()


def test_in_place_means_the_site_folder(desk: Desk) -> None:
    files = desk.files(in_place=True)
    copy = desk.run(files)
    assert copy.folder == desk.workspace.folders(KEY).site
    (copy.folder / "state.txt").write_text("kept")
    assert (desk.run(files).folder / "state.txt").exists()


def test_in_place_an_old_folder_stays_while_it_is_run_in(desk: Desk) -> None:
    running = desk.workspace.prepare(desk.files({"run.sh": "echo 1"}, in_place=True))
    held = os.open(running.folder, os.O_RDONLY)
    desk.run(desk.files({"run.sh": "echo 2"}, in_place=True))
    assert os.listdir(held) == ["run.sh"]
    desk.workspace.release(running)
    assert os.listdir(held) == []
    os.close(held)


def test_the_effective_settings_lie_beside_the_script(desk: Desk) -> None:
    contents: dict[str, str | bytes] = {"app/run.sh": SCRIPT, "app/settings.job": "{}"}
    files = desk.files(contents, settings={"schedule": "0 * * * * *"})
    copy = desk.run(files)
    assert '"schedule": "0 * * * * *"' in (copy.script.parent / "settings.job").read_text()
    changed = desk.run(replace(files, settings={"schedule": "1 * * * * *"}))
    assert (changed.folder, changed.changes) == (copy.folder, ())
    assert '"1 * * * * *"' in (copy.script.parent / "settings.job").read_text()
    assert '"1 * * * * *"' in (desk.workspace.folders(KEY).site / "app/settings.job").read_text()
    desk.run(replace(files, settings={}))
    assert not (copy.script.parent / "settings.job").exists()


def test_a_new_worker_goes_on_with_what_is_there(desk: Desk) -> None:
    files = desk.files()
    old = desk.workspace.prepare(files)
    old.shutdown_file.touch()
    (old.temp_dir / "scrap").touch()
    (old.data_path / "state").touch()
    desk.workspace = Workspace(desk.folder / "root")
    desk.workspace.sweep()
    assert not old.shutdown_file.exists()
    until(lambda: not (desk.workspace.root / "trash").exists(), what="the trash is deleted")
    new = desk.run(files)
    assert new.folder == old.folder
    assert not (new.temp_dir / "scrap").exists()
    assert (new.data_path / "state").exists()
    assert desk.opened == [files.sha256]


def test_a_new_worker_deletes_copies_of_other_packages(desk: Desk) -> None:
    old = desk.workspace.prepare(desk.files({"run.sh": "echo 1"}))
    desk.workspace = Workspace(desk.folder / "root")
    new = desk.run(desk.files({"run.sh": "echo 2"}))
    assert not old.folder.exists()
    assert new.script.read_text() == "echo 2"


def test_removing_a_job_leaves_nothing_of_it(desk: Desk) -> None:
    copy = desk.run(desk.files())
    (copy.data_path / "state").touch()
    desk.run(desk.files(key=replace(KEY, job="other")))
    desk.workspace.remove(KEY)
    assert list(desk.workspace.root.rglob("*nightly*")) == []
    assert list(desk.workspace.root.rglob("other"))
    desk.workspace.remove(KEY)


def test_the_shutdown_file_goes_with_the_execution(desk: Desk) -> None:
    copy = desk.workspace.prepare(desk.files())
    copy.shutdown_file.touch()
    desk.workspace.release(copy)
    assert not copy.shutdown_file.exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk of this instance is full"),
        (errno.EACCES, "may not write"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_disk_that_refuses_is_told_in_words(desk: Desk, number: int, words: str) -> None:
    def refuse() -> IO[bytes]:
        raise OSError(number, os.strerror(number))

    good = desk.files({"run.sh": "echo 1"})
    desk.run(good)
    bad = replace(desk.files(), open_package=refuse)
    with pytest.raises(WorkspaceError, match=words):
        desk.workspace.prepare(bad)
    assert desk.run(good).script.read_text() == "echo 1"


def test_a_full_disk_costs_nothing_but_the_new_package(desk: Desk) -> None:
    with Disk(desk.folder / "root"):
        good = desk.files({"run.sh": "echo 1"})
        desk.run(good)
        big = desk.files({"run.sh": "echo 2", "big.bin": os.urandom(2 * 1024**2)})
        with pytest.raises(WorkspaceError, match="disk of this instance is full"):
            desk.workspace.prepare(big)
        assert desk.run(good).script.read_text() == "echo 1"


@dataclass
class Disk:
    """A file system of 1 MiB, where this user may mount one."""

    folder: Path

    def __enter__(self) -> None:
        self.folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(self.folder)]
        if subprocess.run(command, check=False, capture_output=True).returncode != 0:
            pytest.skip("only an administrator can mount a small disk")

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


def test_a_disk_that_fills_up_while_copying_is_told_too(desk: Desk) -> None:
    with Disk(desk.folder / "root"):
        with pytest.raises(WorkspaceError, match="disk of this instance is full"):
            desk.workspace.prepare(desk.files({"run.sh": "echo", "big.bin": os.urandom(600_000)}))
        assert list(desk.workspace.folders(KEY).copies.iterdir()) == []


def test_pipes_that_a_job_left_in_its_folder_do_not_stop_it(desk: Desk) -> None:
    copy = desk.run(desk.files(in_place=True))
    os.mkfifo(copy.folder / "pipe")
    (copy.folder / "link").symlink_to("nowhere")
    (copy.folder / "inner").mkdir()
    (copy.folder / "inner" / "file").touch()
    again = desk.run(desk.files())
    assert {path.name for path in again.folder.rglob("*")} == {
        "run.sh",
        "data.txt",
        "link",
        "inner",
        "file",
    }
    assert desk.run(desk.files()).changes == ()


def test_a_damaged_package_is_told_in_words(desk: Desk) -> None:
    bad = replace(desk.files(), open_package=lambda: io.BytesIO(b"nothing"))
    with pytest.raises(WorkspaceError, match='package of "nightly" cannot be unpacked'):
        desk.workspace.prepare(bad)


def test_a_script_that_the_package_lacks_is_told_in_words(desk: Desk) -> None:
    with pytest.raises(WorkspaceError, match='no file "go.sh"'):
        desk.workspace.prepare(replace(desk.files(), script="go.sh"))


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a\0b"])
def test_a_name_that_is_no_plain_name_never_becomes_a_path(desk: Desk, name: str) -> None:
    for key in (replace(KEY, job=name), replace(KEY, app=name), replace(KEY, slot=name)):
        with pytest.raises(ValueError, match="plain name"):
            desk.workspace.remove(key)


def test_threads_that_start_and_replace_jobs_do_not_disturb_each_other(desk: Desk) -> None:
    keys = [replace(KEY, job=f"job{number}") for number in range(3)]
    choices = [
        desk.files({"run.sh": f"echo {n}", "n": str(n)}, key=key) for key in keys for n in (1, 2)
    ]
    errors: list[BaseException] = []

    def work(start: int) -> None:
        try:
            for turn in range(40):
                files = choices[(start + turn * (start + 1)) % len(choices)]
                copy = desk.workspace.prepare(files)
                number = (copy.folder / "n").read_text()
                assert copy.script.read_text() == f"echo {number}"
                assert (copy.folder / "n").exists()
                desk.workspace.release(copy)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    copies = list((desk.workspace.root / "temp").glob("*/*/jobs/*/*/*"))
    assert len(copies) == 3
