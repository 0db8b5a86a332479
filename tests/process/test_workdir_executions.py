"""The folders of executions at once, and of a job whose package changes meanwhile."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

from tests.process.desk import KEY, SCRIPT, Desk


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


def test_the_shutdown_file_goes_with_the_execution(desk: Desk) -> None:
    copy = desk.workspace.prepare(desk.files())
    copy.shutdown_file.touch()
    desk.workspace.release(copy)
    assert not copy.shutdown_file.exists()


def test_what_no_longer_exists_goes_after_a_while_once_it_no_longer_runs(desk: Desk) -> None:
    files = desk.files({"run.sh": "echo 1"})
    running = desk.workspace.prepare(files)
    for patience in (60, 0):
        desk.workspace.discard(files.key, patience)
        assert desk.workspace.keys() == {files.key}
    desk.workspace.release(running)
    desk.workspace.discard(files.key, 0)
    assert desk.workspace.keys() == set()
    assert not running.script.exists()


def test_what_exists_again_is_missed_anew(desk: Desk) -> None:
    files = desk.files({"run.sh": "echo 1"})
    desk.workspace.release(desk.workspace.prepare(files))
    mark = desk.workspace.folders(files.key).gone
    desk.workspace.discard(files.key, 60)
    os.utime(mark, (0, 0))
    desk.workspace.keep(files.key)
    desk.workspace.discard(files.key, 60)
    assert desk.workspace.keys() == {files.key}
