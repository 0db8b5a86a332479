"""Deployments from real repositories: what becomes of each WebJob, and of lost workers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django import Settings

from tests.support.repositories import commit, make
from tests.web.objects import ALICE, make_slot, make_upload
from webjobs import deploying, deployments, dispatch
from webjobs.deploying import applying, sync
from webjobs.deploying.asking import Wish
from webjobs.dispatch import NewWebJob
from webjobs.models import Deployment, PackageVersion, Slot, SourceConnection, WebJob
from webjobs.states import DeploymentStatus, DeploymentTrigger, JobType

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data_dir")]

TRIGGERED = "App_Data/jobs/triggered/"
CONTINUOUS = "App_Data/jobs/continuous/"
ONE = {
    TRIGGERED + "nightly/run.sh": "echo 1\n",
    TRIGGERED + "nightly/settings.job": '{"schedule": "0 0 3 * * *"}',
    CONTINUOUS + "worker/run.py": "print(1)\n",
}


@pytest.fixture
def slot(db: None) -> Slot:
    return make_slot()


@pytest.fixture
def repository(tmp_path: Path, settings: Settings) -> Path:
    settings.WEBJOBS_SOURCE_PATHS = [str(tmp_path)]
    return make(tmp_path / "repository", ONE)


def connect(slot: Slot, repository: Path, **values: object) -> SourceConnection:
    return deploying.connect(slot, Wish(str(repository), "main", **values), ALICE)  # type: ignore[arg-type]


def deploy(slot: Slot) -> Deployment:
    """Carry out the deployment that waits."""
    waiting = Deployment.objects.get(slot=slot, status=DeploymentStatus.PENDING)
    sync.deploy(waiting.pk)
    waiting.refresh_from_db()
    return waiting


def sync_now(slot: Slot) -> Deployment:
    deploying.sync_now(SourceConnection.objects.get(slot=slot), ALICE)
    return deploy(slot)


def outcomes(deployment: Deployment) -> dict[str, str]:
    return {f"{one['type']}/{one['name']}": one["outcome"] for one in deployment.results}


def served(job: WebJob) -> bytes:
    job.refresh_from_db()
    with storages["packages"].open(job.package.storage_name) as file:
        return bytes(file.read())


def test_connecting_brings_every_job_with_its_settings(slot: Slot, repository: Path) -> None:
    connect(slot, repository)
    found = deploy(slot)
    assert (found.status, found.reason) == (DeploymentStatus.SUCCESS, "")
    assert (found.author, found.title) == ("Ada Example", "First")
    assert outcomes(found) == {"continuous/worker": "added", "triggered/nightly": "added"}
    nightly = WebJob.objects.get(slot=slot, name="nightly")
    assert nightly.schedule.expression == "0 0 3 * * *"
    assert "triggered/nightly: added" in found.log
    version = PackageVersion.objects.get(job=nightly)
    assert version.by_name == "alice"


def test_only_what_changed_is_replaced(slot: Slot, repository: Path) -> None:
    connect(slot, repository)
    deploy(slot)
    worker = WebJob.objects.get(slot=slot, name="worker")
    name = commit(repository, {TRIGGERED + "nightly/run.sh": "echo 2\n", "README": "x"}, "Second")
    found = sync_now(slot)
    assert found.commit == name
    assert outcomes(found) == {"continuous/worker": "unchanged", "triggered/nightly": "replaced"}
    again = WebJob.objects.get(pk=worker.pk)
    assert (again.revision, again.updated_at) == (worker.revision, worker.updated_at)


def test_a_job_without_its_folder_stays_until_it_is_deleted(slot: Slot, repository: Path) -> None:
    connect(slot, repository)
    deploy(slot)
    commit(repository, {CONTINUOUS + "worker/run.py": None}, "Without worker")
    for _ in range(2):
        found = sync_now(slot)
        assert outcomes(found)["continuous/worker"] == "gone"
        assert found.status == DeploymentStatus.SUCCESS
    worker = WebJob.objects.living().get(slot=slot, name="worker")
    dispatch.delete(worker, ALICE)
    assert "continuous/worker" not in outcomes(sync_now(slot))


def test_a_job_that_was_never_in_the_repository_is_not_missed(slot: Slot, repository: Path) -> None:
    dispatch.add_webjob(slot, NewWebJob("byhand", JobType.TRIGGERED, make_upload()), ALICE)
    connect(slot, repository)
    assert "triggered/byhand" not in outcomes(deploy(slot))


def test_a_bad_folder_is_refused_in_words_and_the_others_go_on(
    slot: Slot, repository: Path
) -> None:
    bad = {
        TRIGGERED + "a-noscript/readme.txt": "x",
        TRIGGERED + "b-settings/run.sh": "echo",
        TRIGGERED + "b-settings/settings.job": '{"schedule": "every day"}',
        TRIGGERED + "bad name!/run.sh": "echo",
        TRIGGERED + "c-json/run.sh": "echo",
        TRIGGERED + "c-json/settings.job": "{",
        TRIGGERED + "zz-good/run.sh": "echo",
    }
    commit(repository, bad, "Bad ones")
    connect(slot, repository)
    found = deploy(slot)
    assert found.status == DeploymentStatus.PARTIAL
    assert outcomes(found) == {
        "continuous/worker": "added",
        "triggered/a-noscript": "refused",
        "triggered/b-settings": "refused",
        "triggered/bad name!": "refused",
        "triggered/c-json": "refused",
        "triggered/nightly": "added",
        "triggered/zz-good": "added",
    }
    assert "No runnable script file" in found.log
    assert "schedule" in found.log
    assert "the name of a WebJob" in found.log


def test_a_bad_folder_leaves_what_serves(slot: Slot, repository: Path) -> None:
    connect(slot, repository)
    deploy(slot)
    nightly = WebJob.objects.get(slot=slot, name="nightly")
    before = served(nightly)
    commit(repository, {TRIGGERED + "nightly/run.sh": None}, "Break it")
    assert outcomes(sync_now(slot))["triggered/nightly"] == "refused"
    assert served(nightly) == before


def test_a_repository_without_jobs_says_where_they_belong(slot: Slot, tmp_path: Path) -> None:
    empty = make(tmp_path / "repository" / "empty", {"README": "x"})
    source = connect(slot, empty)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.WEBJOBS_SOURCE_PATHS", [str(tmp_path)])
        found = deploy(slot)
    assert found.status == DeploymentStatus.FAILED
    assert "App_Data/jobs/triggered/NAME/" in found.reason
    source.refresh_from_db()
    assert source.problem == found.reason


def test_a_folder_that_is_no_longer_allowed_is_refused(
    slot: Slot, repository: Path, settings: Settings
) -> None:
    connect(slot, repository)
    settings.WEBJOBS_SOURCE_PATHS = []
    found = deploy(slot)
    assert "SOURCE_CONTROL_PATHS" in found.reason


def test_an_older_commit_comes_back_without_the_repository(slot: Slot, repository: Path) -> None:
    connect(slot, repository)
    first = deploy(slot)
    nightly = WebJob.objects.get(slot=slot, name="nightly")
    before = served(nightly)
    commit(repository, {TRIGGERED + "nightly/run.sh": "echo 2\n"}, "Second")
    commit(repository, {TRIGGERED + "late/run.sh": "echo 3\n"}, "Third")
    newest = sync_now(slot)
    repository.rename(repository.with_name("away"))
    again = deploying.redeploy(first, ALICE)
    sync.deploy(again.pk)
    again.refresh_from_db()
    assert (again.status, again.commit, again.trigger) == (
        DeploymentStatus.SUCCESS, first.commit, DeploymentTrigger.REDEPLOY,
    )  # fmt: skip
    assert served(nightly) == before
    assert outcomes(again) == {
        "continuous/worker": "unchanged", "triggered/nightly": "replaced", "triggered/late": "gone",
    }  # fmt: skip
    assert SourceConnection.objects.get(slot=slot).commit == newest.commit


def test_who_asks_twice_gets_one_deployment(slot: Slot, repository: Path) -> None:
    source = connect(slot, repository)
    first = deploying.request(source, DeploymentTrigger.WEBHOOK, ALICE)
    second = deploying.request(source, DeploymentTrigger.MANUAL, ALICE)
    assert first.pk == second.pk
    assert Deployment.objects.count() == 1


def test_one_deployment_of_a_slot_is_in_progress_at_a_time(slot: Slot, repository: Path) -> None:
    source = connect(slot, repository)
    now = timezone.now()
    first = Deployment.objects.get()
    assert first.claim(now)
    second = deploying.request(source, DeploymentTrigger.MANUAL, ALICE)
    assert second.pk != first.pk
    assert not second.claim(now)
    assert not first.claim(now)
    assert first.finish(DeploymentStatus.SUCCESS, now, "")
    assert second.claim(now)


def test_what_a_lost_worker_had_begun_is_begun_again(slot: Slot, repository: Path) -> None:
    connect(slot, repository)
    lost = Deployment.objects.get()
    lost.claim(timezone.now())
    deployments.enqueue_due(timezone.now())
    assert Deployment.objects.get().status == DeploymentStatus.DEPLOYING
    deployments.enqueue_due(timezone.now() + timedelta(seconds=61))
    assert deploy(slot).status == DeploymentStatus.SUCCESS
    assert not lost.renew(timezone.now())
    assert not lost.finish(DeploymentStatus.FAILED, timezone.now(), "too late")
    assert Deployment.objects.get().status == DeploymentStatus.SUCCESS


def test_a_deployment_that_loses_its_workers_again_and_again_is_given_up(
    slot: Slot, repository: Path
) -> None:
    connect(slot, repository)
    found = Deployment.objects.get()
    now = timezone.now()
    for _ in range(3):
        assert found.claim(now)
        now += timedelta(seconds=61)
        deployments.enqueue_due(now)
    found.refresh_from_db()
    assert found.status == DeploymentStatus.FAILED
    assert "was lost" in found.reason


def test_who_has_lost_it_changes_nothing_any_more(
    slot: Slot, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(slot, repository)
    prepare = applying.prepare

    def lost_meanwhile(*arguments: Any) -> Any:
        Deployment.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        deployments.enqueue_due(timezone.now())
        return prepare(*arguments)

    monkeypatch.setattr(applying, "prepare", lost_meanwhile)
    sync.deploy(Deployment.objects.get().pk)
    assert Deployment.objects.get().status == DeploymentStatus.PENDING
    assert not WebJob.objects.exists()


def test_a_poll_deploys_a_new_commit_once(slot: Slot, repository: Path) -> None:
    source = connect(slot, repository, poll_minutes=5)
    deploy(slot)
    sync.look(source.pk)
    assert not Deployment.objects.active().exists()
    commit(repository, {TRIGGERED + "nightly/run.sh": "echo 2\n"}, "Second")
    for _ in range(2):
        SourceConnection.objects.update(next_poll_at=timezone.now())
        sync.look(source.pk)
    found = deploy(slot)
    assert (found.trigger, found.title) == (DeploymentTrigger.POLL, "Second")
    SourceConnection.objects.update(next_poll_at=timezone.now())
    sync.look(source.pk)
    assert not Deployment.objects.active().exists()


def test_a_poll_that_fails_tells_why_and_deploys_nothing(slot: Slot, repository: Path) -> None:
    source = connect(slot, repository, poll_minutes=5)
    deploy(slot)
    repository.rename(repository.with_name("away"))
    SourceConnection.objects.update(next_poll_at=timezone.now())
    sync.look(source.pk)
    source.refresh_from_db()
    assert "no repository" in source.problem
    assert source.next_poll_at is not None
    assert source.next_poll_at > timezone.now()
    assert not Deployment.objects.active().exists()


def test_disconnecting_keeps_jobs_and_deployments(slot: Slot, repository: Path) -> None:
    source = connect(slot, repository)
    deploy(slot)
    waiting = deploying.sync_now(source, ALICE)
    deploying.disconnect(source, ALICE)
    assert WebJob.objects.living().filter(slot=slot).count() == 2
    waiting.refresh_from_db()
    assert waiting.status == DeploymentStatus.FAILED
    sync.deploy(waiting.pk)
    assert Deployment.objects.count() == 2
    assert not deploying.is_connected(slot)


def test_a_second_connection_of_a_slot_is_refused(slot: Slot, repository: Path) -> None:
    connect(slot, repository)
    with pytest.raises(dispatch.Refused):
        connect(slot, repository)


def test_another_branch_is_deployed_at_once(slot: Slot, repository: Path) -> None:
    source = connect(slot, repository)
    deploy(slot)
    deploying.change(source, Wish(source.url, "other"), ALICE, forget_host=False)
    found = deploy(slot)
    assert found.reason == "The repository has no such branch."


def test_old_deployments_are_forgotten(slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    for _ in range(5):
        Deployment.objects.create(
            slot=slot, trigger="manual", status="Success", requested_at=now, by_name="x"
        )
    monkeypatch.setattr(deployments, "KEPT", 3)
    assert deployments.trim(slot.pk) == 2
    assert Deployment.objects.count() == 3


def test_secrets_are_encrypted_in_the_database(slot: Slot, repository: Path) -> None:
    from django.db import connection

    source = connect(slot, repository, secret="very-secret-token")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, webhook_secret FROM webjobs_sourceconnection")
        row = cursor.fetchone()
    assert "very-secret" not in row[0]
    assert source.webhook_secret not in row[1]


def test_a_secret_of_another_key_is_told_in_words(
    slot: Slot, repository: Path, settings: Settings
) -> None:
    connect(slot, repository, secret="token", poll_minutes=5)
    settings.SECRET_KEY = "another key than the one before"
    assert "SECRET_KEY has changed" in deploy(slot).reason
    SourceConnection.objects.update(next_poll_at=timezone.now(), problem="")
    sync.look(SourceConnection.objects.values_list("pk", flat=True).get())
    assert "SECRET_KEY" in SourceConnection.objects.values_list("problem", flat=True).get()
