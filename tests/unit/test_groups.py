"""Tests of one group share what takes long to start, so one process has to get all of them."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="needs pytest -n 2")
def test_groups_are_kept_together(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("loadgroup", False) is not True:
        pytest.skip("needs pytest --dist loadgroup")
    grouped = [item for item in request.session.items if item.get_closest_marker("xdist_group")]
    # That is how the one who hands them out knows.
    assert not [item.nodeid for item in grouped if "@" not in item.nodeid]
