"""Tests of one group share what takes long to start, so one process has to get all of them."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="needs make test")
def test_groups_are_kept_together(request: pytest.FixtureRequest) -> None:
    grouped = [item for item in request.session.items if item.get_closest_marker("xdist_group")]
    # That is how the one who hands them out knows.
    spread = [item.nodeid for item in grouped if "@" not in item.nodeid]
    assert not spread, "Run it with --dist loadgroup, on versions of pytest and xdist that agree."
