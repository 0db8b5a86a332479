"""A connection by ssh from the page to the deployed WebJob, with a real server and real keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from tests.support.needs import needs
from tests.support.repositories import make
from tests.support.ssh_server import SshServer, serving
from tests.web.objects import make_slot
from webjobs.deploying import sync
from webjobs.models import Deployment, Slot, SourceConnection, WebJob
from webjobs.states import DeploymentStatus

pytestmark = [
    needs("sshd"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("data_dir"),
]
PAGE = "/apps/demo/deployment/"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with serving(tmp_path / "ssh") as found:
        yield found


@pytest.fixture
def slot(admin_client: Client, server: SshServer, tmp_path: Path) -> Slot:
    """Connected with a repository, for which the portal has made a key that nobody knows yet."""
    made = make_slot()
    files = {"App_Data/jobs/triggered/nightly/run.sh": "echo 1\n"}
    repository = make(tmp_path / "repository", files)
    fields = {"url": f"{server.url}{repository}", "branch": "main", "poll": ""}
    assert admin_client.post(PAGE + "connect", fields).status_code == 302
    return made


def deployed(slot: Slot) -> Deployment:
    waiting = Deployment.objects.get(slot=slot, status=DeploymentStatus.PENDING)
    sync.deploy(waiting.pk)
    waiting.refresh_from_db()
    return waiting


def synced(slot: Slot, client: Client) -> Deployment:
    client.post(PAGE + "sync")
    return deployed(slot)


def shown(client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_the_deploy_key_is_kept_encrypted_and_opens_the_repository(
    slot: Slot, server: SshServer, admin_client: Client
) -> None:
    assert "Add the public key to the repository" in deployed(slot).reason
    source = SourceConnection.objects.get(slot=slot)
    assert source.public_key in shown(admin_client)
    server.allow([source.public_key])
    found = synced(slot, admin_client)
    assert (found.status, found.reason) == (DeploymentStatus.SUCCESS, "")
    assert WebJob.objects.living().filter(slot=slot, name="nightly").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM webjobs_sourceconnection")
        (stored,) = cursor.fetchone()
    assert "PRIVATE KEY" in source.secret
    for line in source.secret.splitlines():
        assert line not in stored
        assert line not in found.log + shown(admin_client)


def test_a_changed_host_key_is_refused_until_somebody_removes_the_known_one(
    slot: Slot, server: SshServer, admin_client: Client
) -> None:
    server.allow([SourceConnection.objects.get(slot=slot).public_key])
    assert deployed(slot).status == DeploymentStatus.SUCCESS
    known = SourceConnection.objects.get(slot=slot).known_hosts
    assert server.host_key in known

    server.stop()
    server.forget_key()
    server.start()
    found = synced(slot, admin_client)
    assert found.status == DeploymentStatus.FAILED
    assert "shows another key than the known one" in found.reason
    assert found.reason in shown(admin_client)
    assert "Forget the known host key" in shown(admin_client)
    assert SourceConnection.objects.get(slot=slot).known_hosts == known

    admin_client.post(PAGE + "change", {"branch": "main", "poll": "", "forget_host": "on"})
    assert synced(slot, admin_client).status == DeploymentStatus.SUCCESS
    assert server.host_key in SourceConnection.objects.get(slot=slot).known_hosts


def test_a_host_that_is_away_is_told_and_what_serves_stays(
    slot: Slot, server: SshServer, admin_client: Client
) -> None:
    server.allow([SourceConnection.objects.get(slot=slot).public_key])
    deployed(slot)
    server.stop()
    found = synced(slot, admin_client)
    assert found.status == DeploymentStatus.FAILED
    assert "The host cannot be reached" in found.reason
    assert WebJob.objects.living().filter(slot=slot, name="nightly").exists()
    answer = admin_client.post(PAGE + "test", headers={"Accept": "application/json"})
    assert "The host cannot be reached" in answer.json()["error"]
