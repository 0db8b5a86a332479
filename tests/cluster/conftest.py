"""Several workers, as real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.engine import ACTOR, make_slot
from webjobs import dispatch
from webjobs.models import Slot


@pytest.fixture
def cluster(transactional_db: None, broker: str, data_dir: Path) -> Iterator[Cluster]:
    """Starts workers; at the end nothing of them may be left."""
    (data_dir / "packages").mkdir()
    cluster = Cluster(data_dir)
    yield cluster
    cluster.close()


@pytest.fixture
def witness(slot: Slot, tmp_path: Path) -> Path:
    """The file that witnesses write to."""
    file = tmp_path / "witness"
    dispatch.change_settings(slot, [dispatch.SettingChange("WITNESS_FILE", str(file))], ACTOR)
    return file


@pytest.fixture
def slot(transactional_db: None, data_dir: Path) -> Slot:
    """The production slot of the app `demo`."""
    return make_slot()
