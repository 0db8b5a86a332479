"""Imports go downwards only; the numbers are those of the layout."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "webjobs"

LEVELS: dict[str, int] = {
    name: level
    for level, names in enumerate(
        [
            "states times dotnet ncrontab reasons timezones runner debug_client outages room",
            "models",
            "migrations logs packages telling retelling forms messages hooks tunnel idling",
            "alive engine scheduler endings housekeeping retention unused_packages deployments "
            "stray_packages swapping swap_preview",
            "tasks worker beat",
            "dispatch access deploying",
            "views templatetags api admin management urls apps first_start",
        ]
    )
    for name in names.split()
}
# These run, or are tested, where no Django is.
WITHOUT_DJANGO = {"states", "ncrontab", "reasons", "timezones", "runner", "debug_client"}


def _modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def _unit(path: Path) -> str:
    """The module or package directly under webjobs/ that `path` belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of every import in the file, also those inside functions."""
    parents = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = list(parents[: -node.level]) if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{start}.{alias.name}"


def _units_used(path: Path) -> Iterator[tuple[int, str]]:
    """Line and unit of every import of ours, but those inside the file's own unit."""
    for line, name in _imported(path):
        parts = name.split(".")
        if parts[0] == "webjobs" and len(parts) > 1 and parts[1] != _unit(path):
            yield line, parts[1]


def _place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_module_has_a_level() -> None:
    unknown = {_unit(path) for path in _modules()} - set(LEVELS)
    assert not unknown, f"Give these a level in {Path(__file__).name}: {sorted(unknown)}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_it_imports_nothing_from_above(path: Path) -> None:
    own = LEVELS[_unit(path)]
    upward = [
        f"{_place(path, line)} imports webjobs.{unit} (level {LEVELS.get(unit)})"
        for line, unit in _units_used(path)
        if LEVELS.get(unit, len(LEVELS)) > own
    ]
    assert not upward, f"Level {own} looks up: {upward}"


def test_neighbours_do_not_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in _modules():
        graph.setdefault(_unit(path), set()).update(unit for _, unit in _units_used(path))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"A circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("unit", sorted(WITHOUT_DJANGO))
def test_the_pure_part_knows_no_django(unit: str) -> None:
    bad = [
        f"{_place(path, line)} imports {name}"
        for path in _modules()
        if _unit(path) == unit
        for line, name in _imported(path)
        if name.split(".")[0] in {"django", "celery", "portal"}
    ]
    assert not bad, bad


def test_the_app_does_not_import_the_wiring() -> None:
    bad = [
        f"{_place(path, line)} imports {name}"
        for path in _modules()
        for line, name in _imported(path)
        if name.split(".")[0] == "portal" and _unit(path) != "management"
    ]
    assert not bad, bad


def test_the_reader_of_imports_sees_all_forms() -> None:
    source = PACKAGE / "models" / "app.py"
    names = {name for _, name in _imported(source)}
    assert "django.db.models" in names
    assert "webjobs.models.fields.EncryptedTextField" in names
    assert {unit for _, unit in _units_used(source)} == {"states"}
    inner = {unit for _, unit in _units_used(PACKAGE / "dispatch" / "runs.py")}
    assert inner == {"endings", "messages", "models", "runner", "states", "tasks"}
