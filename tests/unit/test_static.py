"""Static files get their names from their content, and find each other under them."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_django import Settings

from portal.startup import collect_static

ROOT = Path(__file__).parents[2]
PICTURE = re.compile(r'(?:{% (?:big_)?icon |\bicon\()"([a-z-]+)"')
IMPORTED = re.compile(r'from "(\./[^"]+)"')


def test_modules_import_each_other_by_the_names_that_they_are_served_with(
    settings: Settings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "portal.static.StaticStorage"}
    }
    collect_static(lambda text: None)
    served = tmp_path / "static" / "js"
    imports = [
        (module.name, name)
        for module in served.glob("*.*.js")
        for name in IMPORTED.findall(module.read_text())
    ]
    assert len(imports) > 50
    assert not [pair for pair in imports if not (served / pair[1]).is_file()]
    assert not [pair for pair in imports if not re.search(r"\.[0-9a-f]{12}\.js$", pair[1])]


def test_every_picture_that_is_named_is_in_the_sprite() -> None:
    files = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "js").glob("*.js")]
    named = {name for file in files for name in PICTURE.findall(file.read_text())}
    drawn = re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/img/icons.svg").read_text())
    assert len(named) > 20
    assert named <= set(drawn), named - set(drawn)
    assert len(drawn) == len(set(drawn))
