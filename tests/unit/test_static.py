"""Static files get their names from their content, and find each other under them."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_django import Settings

from portal.startup import collect_static

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
