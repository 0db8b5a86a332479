"""docker-compose.yml as README.md brings it up, on a free port, with secrets of its own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.support.portal import free_port

HERE = Path(__file__).parent
PROJECT = "webjobs-test-images"
IMAGE = f"{PROJECT}:built"
WORKERS = 3
# Building may fetch half a gigabyte.
BUILD_SECONDS = 1800
SECRETS = ("admin_password", "postgres_password", "secret_key")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They build an image: only `make test-images` does that."""
    if os.environ.get("TEST_IMAGES"):
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="make test-images runs these; needs Docker"))


def docker(*arguments: str, seconds: float = 120, **environment: str) -> str:
    """What the command printed; its errors are in the failure."""
    done = subprocess.run(
        ["docker", *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Site:
    """What is up, and the token that its API is asked with."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.secrets = {name: secrets.token_urlsafe(32) for name in SECRETS}
        password = self.secrets["postgres_password"]
        address = f"postgres://webjobs:{password}@postgres:5432/webjobs"
        self.secrets["database_url"] = address
        self.token = ""
        sources = {}
        for name, text in self.secrets.items():
            path = folder / name
            path.write_text(text)
            path.chmod(0o644)
            sources[name] = {"file": str(path)}
        services = {name: {"image": IMAGE} for name in ("web", "worker", "beat")}
        self._changes = folder / "changes.yml"
        self._changes.write_text(yaml.safe_dump({"services": services, "secrets": sources}))

    def compose(self, *arguments: str, seconds: float = 120) -> str:
        files = ["-f", "docker-compose.yml", "-f", str(self._changes)]
        return docker(
            "compose", "-p", PROJECT, *files, *arguments, seconds=seconds, PORT=str(self.port)
        )

    def up(self) -> None:
        self.compose(
            "up", "-d", "--build", "--wait", "--scale", f"worker={WORKERS}", seconds=BUILD_SECONDS
        )

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """What Docker knows about each of them."""
        found = self.compose("ps", "-a", "-q", *([service] if service else [])).split()
        described: list[dict[str, Any]] = json.loads(docker("inspect", *found))
        return described

    def sign(self) -> None:
        """Let the operator give out a token."""
        command = ["python", "manage.py", "apitoken", "admin", "test", "--role", "contributor"]
        self.token = self.compose("exec", "-T", "web", *command).split()[-1]

    def api(self, method: str, path: str, script: str = "") -> Any:
        """The document that the API answers for the app `demo`."""
        request = urllib.request.Request(
            f"{self.url}/scm/demo/api/{path}", script.encode() or None, method=method
        )
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Disposition", "attachment; filename=run.sh")
        request.add_header("Content-Type", "application/octet-stream")
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix=PROJECT) as name:
        site = Site(Path(name))
        try:
            site.up()
            site.sign()
            yield site
        finally:
            site.compose("down", "-v", seconds=150)
            docker("image", "rm", "-f", IMAGE)
