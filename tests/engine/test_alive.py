"""A worker and a beat that work touch a file, which health checks look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from portal.celery import app
from tests.support.engine import Engine
from tests.support.poll import until
from webjobs import alive
from webjobs.beat import WebJobScheduler


@pytest.mark.django_db(transaction=True)
def test_a_worker_touches_its_file_while_it_beats(data_dir: Path) -> None:
    engine = Engine(data_dir / "instance", threads=1).start()
    try:
        until((data_dir / "worker.alive").exists, what="the worker's file")
    finally:
        engine.close()


@pytest.mark.django_db(transaction=True)
def test_a_beat_touches_its_file_when_it_ticks(data_dir: Path) -> None:
    scheduler = WebJobScheduler(app, lazy=True)
    scheduler._note_tick(timezone.now())
    assert (data_dir / "beat.alive").exists()


def test_a_file_that_cannot_be_written_stops_nobody(data_dir: Path) -> None:
    (data_dir / "worker.alive").mkdir()
    (data_dir / "worker.alive").chmod(0)
    alive.touch("worker")
    alive.touch("no/such/folder")
