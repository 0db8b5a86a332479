"""The rows of `make bench` are those that the README names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.__main__ import NAMES, selected
from tests.bench.table import Figure, lines, percentile

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_names_every_row_in_their_order() -> None:
    section = README.read_text(encoding="utf-8").partition("## Speed")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == NAMES


def test_rows_are_chosen_by_name_and_measured_in_their_order() -> None:
    assert selected("") == list(NAMES)
    assert selected("log, runs") == ["runs", "log"]


def test_an_unknown_row_is_refused_by_name() -> None:
    with pytest.raises(SystemExit, match="there is no rnus"):
        selected("rnus")


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, 95), percentile(values, 99), percentile([7.0], 95)] == [95, 99, 7]


def test_the_columns_of_the_table_are_as_wide_as_what_is_in_them() -> None:
    found = list(lines([Figure("starts", "5 ms", "bash 4 ms", "1.2x", "<= 9 ms")]))
    assert found[2] == "starts | 5 ms | bash 4 ms         | 1.2x  | <= 9 ms"
    assert len({line.index(" | 1.2x") for line in found[2:]}) == 1
