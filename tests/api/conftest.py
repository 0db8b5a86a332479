"""Packages of these tests go where each test's own files are."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_data_dir(data_dir: Path) -> None:
    """Nothing is left behind for the next test."""
