"""A launcher for the tests of the runner, which must leave no process behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.desk import Desk
from tests.process.running import Jobs
from webjobs.runner.git import Git, Limits, temporary
from webjobs.runner.launcher import Launcher


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """Starts real children; whatever a finished job left behind fails the test."""
    launcher = Launcher()
    launcher.start()
    started = Jobs(launcher, tmp_path)
    yield started
    launcher.close()
    assert started.left() == []


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def git(tmp_path: Path) -> Iterator[Git]:
    """An empty repository that lives as long as the test, with small limits."""
    (tmp_path / "uploads").mkdir()
    with temporary(tmp_path / "uploads", Limits(4 * 1024**2, 30)) as made:
        made.init()
        yield made
