"""Azure's own clients, unmodified, against a portal with only the address changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.clients import tunnel
from tests.clients.conftest import DOMAIN, HERE, Clients, run
from tests.support.poll import until
from tests.web.test_call import commands

ENVIRONMENTS = Path(os.environ.get("TEST_CLIENTS", ""))
# The first request of the command line compiles a gigabyte of modules.
pytestmark = pytest.mark.timeout(400)


def test_azure_mgmt_web(clients: Clients) -> None:
    python = str(ENVIRONMENTS / "python" / "bin" / "python")
    run([python, str(HERE / "arm_python.py")], clients.environ("py"))


def test_arm_appservice(clients: Clients) -> None:
    clients.node("arm.mjs", "js")


def test_kudu_api(clients: Clients, uploads: dict[str, str]) -> None:
    with tunnel.running(clients.portal.port) as proxy:
        clients.node("kudu_api.mjs", "kudu", HTTPS_PROXY=proxy, NO_PROXY="", **uploads)


def test_azure_mgmt_website(clients: Clients, uploads: dict[str, str]) -> None:
    clients.node("website.mjs", "website", **uploads)


def test_vscode_azurekudu(clients: Clients) -> None:
    clients.node("vscode.mjs", "vscode")


class Az:
    """The command line with a configuration of its own."""

    def __init__(self, clients: Clients, folder: Path, **more: str) -> None:
        self._environment = clients.environ(
            "az",
            AZURE_CONFIG_DIR=str(folder),
            REQUESTS_CA_BUNDLE=str(clients.portal.authority),
            AZURE_CORE_INSTANCE_DISCOVERY="false",
            AZURE_CORE_COLLECT_TELEMETRY="no",
            **more,
        )

    def __call__(self, *arguments: str) -> Any:
        program = str(ENVIRONMENTS / "az" / "bin" / "az")
        text = run([program, *arguments, "--output", "json"], self._environment)
        return json.loads(text) if text.strip() else None

    def job(self, *arguments: str, name: str = "", slot: str = "") -> Any:
        more = [*(["-w", name] if name else []), *(["--slot", slot] if slot else [])]
        return self("webapp", "webjob", *arguments, "-g", "rg1", "-n", "az", *more)


def _cloud(az: Az, url: str, directory: str) -> None:
    az(
        "cloud", "register", "-n", "portal", "--skip-endpoint-discovery",
        "--endpoint-resource-manager", f"{url}/",
        "--endpoint-active-directory", directory,
        "--endpoint-active-directory-resource-id", f"{url}/",
        "--endpoint-management", f"{url}/",
    )  # fmt: skip
    az("cloud", "set", "-n", "portal")


def _sign_in(az: Az, clients: Clients, tenant: str) -> None:
    secret = f"--password={clients.secret}"
    az("login", "--service-principal", "-u", "admin", secret, "--tenant", tenant)


def test_az(clients: Clients, tmp_path: Path) -> None:
    url = clients.portal.url
    az = Az(clients, tmp_path)
    _cloud(az, url, url)
    _sign_in(az, clients, "contoso")

    triggered = {job["name"]: job for job in az.job("triggered", "list")}
    assert {"az/nightly", "az/slow", "az/gone"} <= set(triggered)
    assert triggered["az/nightly"]["resourceGroup"] == "rg1"
    assert [job["name"] for job in az.job("triggered", "list", slot="staging")] == [
        "az/staging/nightly"
    ]
    assert az.job("triggered", "run", name="nightly")["name"] == "az/nightly"
    assert az.job("triggered", "log", name="nightly")[0]["runs"][0]["webJobId"]
    az.job("triggered", "remove", name="gone")
    assert "az/gone" not in {job["name"] for job in az.job("triggered", "list")}

    assert "az/worker" in {job["name"] for job in az.job("continuous", "list")}
    assert az.job("continuous", "stop", name="worker")["name"] == "az/worker"
    assert az.job("continuous", "start", name="worker")["name"] == "az/worker"
    az.job("continuous", "remove", name="gone")


def test_az_learns_the_cloud_by_itself(clients: Clients, tmp_path: Path) -> None:
    az = Az(clients, tmp_path)
    az("cloud", "register", "-n", "portal", "--endpoint-resource-manager", clients.portal.url)
    az("cloud", "set", "-n", "portal")
    _sign_in(az, clients, "contoso")
    assert az.job("triggered", "list")


def test_az_with_adfs(clients: Clients, tmp_path: Path) -> None:
    az = Az(clients, tmp_path)
    _cloud(az, clients.portal.url, f"{clients.portal.url}/adfs")
    # It asks for a tenant, which it then leaves out.
    _sign_in(az, clients, "00000000-0000-0000-0000-000000000000")
    assert az.job("continuous", "list")


def test_az_as_a_machine(clients: Clients, tmp_path: Path) -> None:
    url = clients.portal.url
    az = Az(clients, tmp_path, IDENTITY_ENDPOINT=f"{url}/msi/token", IDENTITY_HEADER=clients.secret)
    _cloud(az, url, url)
    az("login", "--identity")
    assert az.job("triggered", "list")


def test_az_as_the_page_of_a_job_shows_it(clients: Clients, tmp_path: Path) -> None:
    """What `Call this WebJob` shows, pasted into shells with nothing but what it asks for."""
    environment = clients.environ(
        "az",
        AZURE_CONFIG_DIR=str(tmp_path),
        REQUESTS_CA_BUNDLE=str(clients.portal.authority),
        WEBJOBS_TOKEN=clients.secret,
        PATH=f"{ENVIRONMENTS.resolve() / 'az' / 'bin'}:{os.environ['PATH']}",
    )

    def paste(text: str) -> str:
        return run(["/bin/sh", "-e", "-c", text], environment)

    def shown(place: str, job: str) -> dict[str, str]:
        return commands(clients.portal.page(f"/apps/az/{place}webjobs/{job}/call"))

    production = shown("", "triggered/nightly")
    paste(production["az-setup"])
    for example in (production, shown("slots/staging/", "triggered/nightly")):
        job = json.loads(paste(example["az-1"]))
        assert "AZURECLI" in job["latestRun"]["trigger"]
    worker = shown("", "continuous/worker")
    assert json.loads(paste(worker["az-2"]))["status"] in ("Stopping", "Stopped")
    assert json.loads(paste(worker["az-1"]))["name"] == "az/worker"

    def runs() -> bool:
        jobs = json.loads(paste("az webapp webjob continuous list -g any -n az"))
        return "Running" in [job["status"] for job in jobs if job["name"] == "az/worker"]

    until(runs, seconds=120, what="the worker that was started")


def test_the_domain_of_kudu_is_azures() -> None:
    # kudu-api has no option for it: should that change, so should the tunnel.
    source = (HERE / "node_modules" / "kudu-api" / "index.js").read_text()
    assert f'".{DOMAIN}/"' in source
