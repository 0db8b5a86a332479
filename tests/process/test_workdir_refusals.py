"""What keeps the folders of a job from being made ready is told, and costs nothing else."""

from __future__ import annotations

import errno
import io
import os
from dataclasses import replace
from typing import IO

import pytest

from tests.process.desk import KEY, Desk
from tests.support.disk import small_disk
from webjobs.runner.workdir import WorkspaceError


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
    with small_disk(desk.folder / "root"):
        good = desk.files({"run.sh": "echo 1"})
        desk.run(good)
        big = desk.files({"run.sh": "echo 2", "big.bin": os.urandom(2 * 1024**2)})
        with pytest.raises(WorkspaceError, match="disk of this instance is full"):
            desk.workspace.prepare(big)
        assert desk.run(good).script.read_text() == "echo 1"


def test_a_disk_that_fills_up_while_copying_is_told_too(desk: Desk) -> None:
    with small_disk(desk.folder / "root"):
        with pytest.raises(WorkspaceError, match="disk of this instance is full"):
            desk.workspace.prepare(desk.files({"run.sh": "echo", "big.bin": os.urandom(600_000)}))
        assert list(desk.workspace.folders(KEY).copies.iterdir()) == []


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
