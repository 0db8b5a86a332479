"""One ready-made WebJob of each file type, through the whole way from upload to log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engine import ACTOR, Engine, text_of
from tests.support.needs import require
from webjobs import dispatch, packages
from webjobs.models import Slot
from webjobs.runner.extraction import zip_folder
from webjobs.states import JobType, RunStatus

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NEEDS = {"jar": "java", "js": "node", "php": "php", "ps1": "pwsh"}


def run_sample(engine: Engine, slot: Slot, folder: Path, kind: str) -> None:
    archive = folder / f"hello-{kind}.zip"
    zip_folder(SAMPLES / f"hello-{kind}", archive)
    upload = packages.check_upload(archive, archive.name)
    new = dispatch.NewWebJob(name=f"hello-{kind}", type=JobType.TRIGGERED, upload=upload)

    run = engine.run(dispatch.add_webjob(slot, new, ACTOR), "first second", seconds=120)

    text = text_of(run)
    assert run.status == RunStatus.SUCCESS, text
    assert f"hello-{kind}" in text
    assert "first" in text and "second" in text


@pytest.mark.parametrize("kind", ["jar", "js", "php", "ps1", "py", "sh"])
def test_a_sample_of_each_type_runs(engine: Engine, slot: Slot, tmp_path: Path, kind: str) -> None:
    if kind in NEEDS:
        require(NEEDS[kind])
    run_sample(engine, slot, tmp_path, kind)


def test_the_samples_for_windows_run(engine: Engine, slot: Slot, tmp_path: Path) -> None:
    require("wine")
    for kind in ("cmd", "bat", "exe"):
        run_sample(engine, slot, tmp_path, kind)
