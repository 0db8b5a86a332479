"""The folders of a job on real disks: unpacked once, copied when changed, never lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.process.desk import KEY, SCRIPT, Desk
from tests.support.poll import until
from webjobs.runner.workdir import Workspace


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
    trash = desk.workspace.root / "trash"
    until(lambda: not list(trash.iterdir()), what="the trash is deleted")
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
