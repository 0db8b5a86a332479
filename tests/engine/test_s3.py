"""Packages in storage that speaks S3: kept, fetched, damaged, and away.

The server stands for any S3-compatible one: real HTTP on a loopback port, signed requests (a wrong
key is refused), one process that can be killed and started again. What it does not stand for:
AWS's own roles and regions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from portal import s3
from tests.support.engine import ACTOR, Engine, add_job, make_slot, text_of, upload
from tests.support.s3 import S3Server
from webjobs import dispatch, packages
from webjobs.models import AuditEntry, Package, PackageFile, Slot, WebJob
from webjobs.states import RunStatus
from webjobs.stray_packages import FOLDERS, PERIOD, Finder
from webjobs.unused_packages import Remover
from webjobs.views import health

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("s3")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(shared: S3Server, settings: Settings, data_dir: Path) -> Iterator[S3Server]:
    """A server that answers, and a portal that keeps its packages there."""
    bucket = shared.bucket("packages", f"portal/{data_dir.name}")
    settings.STORAGES = {**settings.STORAGES, "packages": s3.storage(bucket)}
    health._packages.cache_clear()
    yield shared
    if not shared.is_up:
        shared.start()


@pytest.fixture
def slot(transactional_db: None) -> Slot:
    return make_slot()


@pytest.fixture
def engine(server: S3Server, slot: Slot, data_dir: Path) -> Iterator[Engine]:
    engine = Engine(data_dir / "instance").start()
    yield engine
    engine.close()


def file_of(server: S3Server, package: Package) -> Path:
    """The object as it lies on the server's disk."""
    # Beneath the prefix of this test: others may keep the same package.
    prefix: str = storages["packages"].location  # type: ignore[attr-defined]
    (found,) = (server.folder / "packages" / prefix).rglob(package.sha256)
    return found


def test_a_package_is_kept_there_and_fetched_once_per_instance(
    server: S3Server, engine: Engine, slot: Slot
) -> None:
    job = add_job(slot, {"run.sh": "echo from afar", "data.bin": b"\0" * 3_000_000})
    assert file_of(server, job.package).stat().st_size == job.package.size

    assert engine.run(job).status == RunStatus.SUCCESS

    server.stop()
    run = engine.run(job)
    assert run.status == RunStatus.SUCCESS, run.reason
    assert "from afar" in text_of(run)


def test_one_that_nothing_refers_to_is_deleted_there(server: S3Server, slot: Slot) -> None:
    job = add_job(slot, "echo one")
    unused, used = job.package, upload({"run.sh": "echo two"})
    dispatch.replace_package(job, used, ACTOR)
    job.versions.filter(package=unused).delete()
    path = file_of(server, unused)

    assert Remover().work(timezone.now() + 2 * packages.KEPT_UNUSED) == 1

    assert not path.exists()
    assert file_of(server, WebJob.objects.get().package).exists()


def test_a_damaged_package_is_refused_and_a_new_upload_mends_it(
    server: S3Server, engine: Engine, slot: Slot
) -> None:
    files = {"run.sh": "echo whole"}
    job = add_job(slot, files)
    path = file_of(server, job.package)
    whole = path.read_bytes()
    path.write_bytes(b"X" + whole[1:])

    run = engine.run(job)
    assert run.status == RunStatus.FAILED
    assert "is damaged: its SHA-256 differs" in run.reason

    path = upload(files).path
    path.write_bytes(whole)
    dispatch.replace_package(job, packages.check_upload(path, "job.zip"), ACTOR)
    assert engine.run(job).status == RunStatus.SUCCESS


def test_while_it_is_away_uploads_are_refused_and_nothing_is_lost(
    server: S3Server, slot: Slot
) -> None:
    job = add_job(slot, "echo one")
    server.stop()

    with pytest.raises(dispatch.Refused) as caught:
        add_job(slot, "echo two", name="second")
    assert caught.value.status == 503
    assert "Nothing has changed." in str(caught.value)
    with pytest.raises(dispatch.Refused):
        dispatch.replace_package(job, upload({"run.sh": "echo three"}), ACTOR)

    before = job.package
    job.refresh_from_db()
    assert job.package == before
    assert WebJob.objects.count() == Package.objects.count() == 1
    assert AuditEntry.objects.filter(action__startswith="webjob.").count() == 1


def test_while_it_is_away_a_run_fails_in_words_and_is_tried_again(
    server: S3Server, engine: Engine, slot: Slot
) -> None:
    job = add_job(
        slot,
        {"run.sh": "echo back", "settings.job": '{"retry_attempts": 1, "retry_delay": 0}'},
    )
    server.stop()

    run = engine.run(job)
    assert run.status == RunStatus.FAILED
    assert "cannot be read from the storage" in run.reason
    assert "correct-horse" not in run.reason

    server.start()
    again = run.next_attempt
    assert again is not None
    engine.wait(again)


def test_health_tells_that_it_is_away_without_saying_where(server: S3Server, slot: Slot) -> None:
    assert Client().get("/healthz").json()["packages"] == "ok"
    server.stop()
    health._packages.cache_clear()
    answer = Client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["packages"] == "do not answer"
    assert str(server.port) not in answer.content.decode()


@pytest.mark.parametrize("name, secret", [("packages", "wrong"), ("no-such-bucket", None)])
def test_a_wrong_key_or_bucket_is_a_failure_and_not_an_empty_storage(
    name: str, secret: str | None, server: S3Server, settings: Settings
) -> None:
    bucket = server.bucket(name, secret=secret or "correct-horse-9")
    settings.STORAGES = {**settings.STORAGES, "packages": s3.storage(bucket)}
    with pytest.raises(OSError):
        packages.check_storage()
    with pytest.raises(packages.NotKept):
        packages.keep(upload({"run.sh": "echo one"}))


def test_one_that_no_row_knows_is_found_there(server: S3Server, slot: Slot) -> None:
    add_job(slot, "true")
    PackageFile.objects.all().delete()
    finder, now = Finder(), timezone.now()
    assert sum(finder.work(now + number * PERIOD) for number in range(FOLDERS)) == 1
    assert PackageFile.objects.count() == 1
