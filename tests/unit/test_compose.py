"""docker-compose.yml and Dockerfile, as far as they can be checked without Docker."""

from __future__ import annotations

import re
from typing import Any

import yaml
from django.core.management import get_commands
from django.test import SimpleTestCase

from portal.config import BASE_DIR

COMPOSE: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (BASE_DIR / "Dockerfile").read_text()
README = (BASE_DIR / "README.md").read_text()


class ComposeTest(SimpleTestCase):
    def test_it_has_every_part(self) -> None:
        self.assertEqual(set(SERVICES), {"web", "worker", "beat", "redis", "postgres"})

    def test_every_image_is_pinned(self) -> None:
        images = [service["image"] for service in SERVICES.values()]
        images += re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
        for image in images:
            self.assertRegex(image, r":\d+\.\d+(\.\d+)?(-\w+)*$")

    def test_nothing_runs_as_root_or_may_become_it(self) -> None:
        for name, service in SERVICES.items():
            with self.subTest(name):
                self.assertRegex(service["user"], r"^[1-9]\d*:[1-9]\d*$")
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertIn("no-new-privileges:true", service["security_opt"])
        self.assertIn("\nUSER portal\n", DOCKERFILE)

    def test_secrets_come_from_files_only(self) -> None:
        for name, service in SERVICES.items():
            for variable in service.get("environment", {}):
                with self.subTest(name, variable=variable):
                    self.assertNotRegex(variable, r"(PASSWORD|SECRET_KEY|DATABASE_URL)$")
        for secret, source in COMPOSE["secrets"].items():
            self.assertEqual(source["file"], f"secrets/{secret}")
            self.assertIn(secret, README)

    def test_every_service_uses_declared_secrets_and_volumes(self) -> None:
        for service in SERVICES.values():
            self.assertLessEqual(set(service.get("secrets", [])), set(COMPOSE["secrets"]))
            volumes = {volume.split(":")[0] for volume in service.get("volumes", [])}
            self.assertLessEqual(volumes, set(COMPOSE["volumes"]))

    def test_who_is_waited_for_says_when_it_is_ready(self) -> None:
        for service in SERVICES.values():
            for awaited, condition in service.get("depends_on", {}).items():
                self.assertEqual(condition, {"condition": "service_healthy"})
                self.assertIn("healthcheck", SERVICES[awaited])

    def test_its_commands_exist(self) -> None:
        self.assertEqual(SERVICES["web"]["command"][:2], ["python", "manage.py"])
        self.assertIn(SERVICES["web"]["command"][2], get_commands())
        for name in ("worker", "beat"):
            self.assertEqual(SERVICES[name]["command"][:5:4], ["celery", name])

    def test_web_and_workers_share_the_packages(self) -> None:
        for name in ("web", "worker"):
            self.assertIn("packages:/data/packages", SERVICES[name]["volumes"])

    def test_only_the_web_is_open_to_the_network(self) -> None:
        self.assertEqual(
            [name for name, service in SERVICES.items() if "ports" in service], ["web"]
        )
