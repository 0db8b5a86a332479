"""GET /healthz: what is there, what is not, and nothing else."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from tests.support.disk import small_disk
from webjobs.models import Beat, Instance
from webjobs.views import health


@pytest.fixture(autouse=True)
def forget_the_client() -> None:
    health._client.cache_clear()
    for known in (health._packages, health._disk_of_sqlite, health._mode_of_server):
        known.cache_clear()


@pytest.fixture
def instance(db: None) -> Instance:
    now = timezone.now()
    return Instance.objects.create(key="a" * 32, name="here", started_at=now, heartbeat_at=now)


@pytest.fixture
def beat(db: None) -> Beat:
    return Beat.objects.create(key="one", ticked_at=timezone.now())


def test_it_is_ok_when_every_part_is_there(
    client: Client, broker: str, instance: Instance, beat: Beat
) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok", "database": "ok", "broker": "ok", "instances": 1, "beat": "ok",
        "packages": "ok",
    }  # fmt: skip


def test_it_needs_no_session_and_is_never_stored(
    client: Client,
    broker: str,
    instance: Instance,
    beat: Beat,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(2 if connection.vendor == "sqlite" else 3):
        answer = client.get("/healthz")
    with django_assert_num_queries(2):
        client.get("/healthz")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "application/json"
    assert not answer.cookies


def test_without_a_live_instance_it_says_so(
    client: Client, broker: str, instance: Instance, beat: Beat
) -> None:
    Instance.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=31))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["instances"]) == ("unavailable", 0)


def test_with_a_silent_beat_it_says_so(
    client: Client, broker: str, instance: Instance, beat: Beat
) -> None:
    Beat.objects.update(ticked_at=timezone.now() - timedelta(seconds=31))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["beat"] == "no tick for 30 seconds"


def test_one_beat_that_ticks_is_enough(
    client: Client, broker: str, instance: Instance, beat: Beat
) -> None:
    Beat.objects.create(key="gone", ticked_at=timezone.now() - timedelta(days=1))
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("address", ["redis+socket://{folder}/none.sock", "redis://127.0.0.1:1/0"])
def test_without_a_broker_it_says_so(
    address: str, client: Client, instance: Instance, beat: Beat, settings: Settings, tmp_path: Path
) -> None:
    settings.CELERY_BROKER_URL = address.format(folder=tmp_path)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["broker"] == "does not answer"
    assert str(tmp_path) not in answer.text


def test_without_a_database_it_says_so(
    client: Client, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object) -> None:
        raise DatabaseError("connection to host 10.0.0.1 as user secret refused")

    monkeypatch.setattr(QuerySet, "exists", fail)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "does not answer"
    assert "secret" not in answer.text


def test_without_the_folder_of_the_packages_it_says_so(
    client: Client, broker: str, instance: Instance, beat: Beat, data_dir: Path, settings: Settings
) -> None:
    gone = {"BACKEND": settings.STORAGES["packages"]["BACKEND"]}
    gone["OPTIONS"] = {"location": data_dir / "not" / "mounted", "base_url": None}
    settings.STORAGES = {**settings.STORAGES, "packages": gone}
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["packages"] == "do not answer"
    assert str(data_dir) not in answer.text


@pytest.mark.parametrize(
    ("mode", "words"), [("rw", "their disk is full"), ("ro", "cannot be written")]
)
def test_with_a_disk_that_takes_no_package_it_says_so(
    client: Client, broker: str, instance: Instance, beat: Beat, data_dir: Path, mode: str,
    words: str, settings: Settings
) -> None:  # fmt: skip
    with small_disk(settings.PACKAGES_DIR):
        subprocess.run(["mount", "-o", f"remount,{mode}", settings.PACKAGES_DIR], check=True)
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json()["packages"], answer.json()["database"]) == (words, "ok")
    assert str(data_dir) not in answer.text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the disk of a server is not seen here")
@pytest.mark.parametrize(
    ("mode", "words"), [("rw", "its disk is full"), ("ro", "cannot be written")]
)
def test_with_a_disk_that_takes_no_row_it_says_so(
    client: Client, broker: str, instance: Instance, beat: Beat, data_dir: Path, mode: str,
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    path = data_dir / "disk" / "db.sqlite3"
    with small_disk(path.parent):
        path.touch()
        subprocess.run(["mount", "-o", f"remount,{mode}", path.parent], check=True)
        monkeypatch.setitem(connection.settings_dict, "NAME", path)
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == words
    assert str(data_dir) not in answer.text


@pytest.mark.skipif(connection.vendor == "sqlite", reason="a server says that it is read-only")
def test_with_a_read_only_database_it_says_so(
    client: Client, broker: str, instance: Instance, beat: Beat
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "cannot be written"


@pytest.mark.django_db
def test_it_rejects_post(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
