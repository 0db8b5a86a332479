"""A running instance on the test's own database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine, make_slot
from tests.support.untold import untold_reasons
from webjobs.models import Slot


@pytest.fixture
def engine(transactional_db: None, broker: str, data_dir: Path) -> Iterator[Engine]:
    """An instance that executes and supervises; everything of it is gone afterwards, and whatever
    it stored can be told in French."""
    engine = Engine(data_dir / "instance").start()
    yield engine
    engine.close()
    assert untold_reasons() == []


@pytest.fixture
def slot(transactional_db: None, data_dir: Path) -> Slot:
    """The production slot of the app `demo`."""
    return make_slot()
