"""A portal with https for Azure's own clients, which are installed apart from everything else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.portal import Portal, environ

HERE = Path(__file__).parent
# Where kudu-api looks for every app; the portal answers there through a tunnel.
DOMAIN = "scm.azurewebsites.net"
APPS = ["py", "js", "az", "kudu", "website", "vscode"]
MANY = 105

# Runs inside the portal's own environment; prints what clients sign in with.
PREPARE = f"""
import json, tempfile
from datetime import timedelta
from pathlib import Path
from django.contrib.auth.models import User
from webjobs import dispatch, packages
from webjobs.models import ApiToken, App, Role, Slot
from webjobs.runner.settings_job import JobSettings
from webjobs.states import JobType

actor = dispatch.PORTAL
folder = Path(tempfile.mkdtemp())

def upload(text):
    path = folder / "upload"
    path.write_text(text)
    return packages.check_upload(path, "run.sh")

def add(slot, name, type, text):
    return dispatch.add_webjob(slot, dispatch.NewWebJob(name, type, upload(text)), actor)

def fill(slot):
    job = add(slot, "nightly", JobType.TRIGGERED, "echo hello\\n")
    dispatch.set_settings_job(job, JobSettings(stopping_wait_time=3), actor)
    return job

passwords = {{}}
for name in {APPS!r}:
    slot = dispatch.create_app(name, actor).slots.get()
    passwords[name] = slot.publishing_password
    dispatch.run_now(fill(slot), actor)
    add(slot, "quick", JobType.TRIGGERED, "true\\n")
    add(slot, "slow", JobType.TRIGGERED, "sleep 300\\n")
    add(slot, "worker", JobType.CONTINUOUS, "while sleep 0.2; do :; done\\n")
    add(slot, "gone", JobType.TRIGGERED, "true\\n")
    add(slot, "gone", JobType.CONTINUOUS, "sleep 300\\n")
    fill(Slot.objects.create(app=slot.app, name="staging"))
many = dispatch.create_app("many", actor).slots.get()
for index in range({MANY}):
    add(many, f"job-{{index:03}}", JobType.TRIGGERED, "true\\n")
user = User.objects.get(username="admin")
_, secret = ApiToken.issue(user, "clients", Role.CONTRIBUTOR)
print(json.dumps({{"secret": secret, "passwords": passwords}}))
"""


class Clients:
    """What every client is told."""

    def __init__(self, portal: Portal, secret: str, passwords: dict[str, str]) -> None:
        self.portal = portal
        self.secret = secret
        self._passwords = passwords

    def environ(self, app: str, **more: str) -> dict[str, str]:
        """Nothing of the tests' own Python settings, and what the client needs to know."""
        # Installed without compiled modules: each is compiled once, where it is used.
        left_out = ("DJANGO", "PYTHONDONTWRITEBYTECODE")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
        return {
            **kept,
            "PORTAL_URL": self.portal.url,
            "PORTAL_AUTHORITY": str(self.portal.authority),
            "NODE_EXTRA_CA_CERTS": str(self.portal.authority),
            "PORTAL_USER": "admin",
            "PORTAL_SECRET": self.secret,
            "PORTAL_APP": app,
            "SCM_URL": f"{self.portal.url}/scm/{app}",
            "PUBLISHING_USER": f"${app}",
            "PUBLISHING_PASSWORD": self._passwords[app],
            **more,
        }

    def node(self, script: str, app: str, **more: str) -> None:
        """Run a script of this folder to its end; it fails by its exit code."""
        run(["node", "--no-deprecation", str(HERE / script)], self.environ(app, **more))


def run(command: list[str], environment: dict[str, str]) -> str:
    """What the command printed; its errors are in the failure."""
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They need half a gigabyte of packages: only `make test-clients` installs it."""
    if os.environ.get("TEST_CLIENTS"):
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="make test-clients runs these"))


@pytest.fixture(scope="session")
def clients() -> Iterator[Clients]:
    # Short: the broker's socket lies in it.
    with tempfile.TemporaryDirectory(prefix="webjobs-clients-") as name:
        folder = Path(name)
        portal = Portal(folder, "--tls", SCM_DOMAIN=DOMAIN)
        try:
            portal.wait_until_ready()
            made = subprocess.run(
                [sys.executable, "manage.py", "shell", "--no-imports", "-c", PREPARE],
                cwd=settings.BASE_DIR,
                env=environ(folder),
                capture_output=True,
                text=True,
                check=False,
            )
            assert made.returncode == 0, made.stderr
            values = json.loads(made.stdout.splitlines()[-1])
            yield Clients(portal, values["secret"], values["passwords"])
        finally:
            portal.close()


@pytest.fixture
def uploads(tmp_path: Path) -> dict[str, str]:
    """A script and a zip, by the names of their variables."""
    script, archive = tmp_path / "hello.sh", tmp_path / "job.zip"
    script.write_text("echo hello\n")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("run.sh", "sleep 5\n")
    return {"SCRIPT": str(script), "ZIP": str(archive)}
