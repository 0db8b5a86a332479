"""docker-compose.yml and Dockerfile, as far as they can be checked without Docker."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from django.core.management import get_commands
from django.test import SimpleTestCase

import webjobs
from portal.config import BASE_DIR

COMPOSE: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (BASE_DIR / "Dockerfile").read_text()
BUCKET: dict[str, Any] = yaml.safe_load((BASE_DIR / "docs/docker-compose.s3.yml").read_text())
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

    def test_every_service_tells_whether_it_works(self) -> None:
        for name, service in SERVICES.items():
            with self.subTest(name):
                self.assertIn("healthcheck", service)

    def test_worker_and_beat_are_healthy_while_they_touch_their_file(self) -> None:
        for name in ("worker", "beat"):
            kind, command = SERVICES[name]["healthcheck"]["test"]
            self.assertEqual(kind, "CMD-SHELL")
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                here = command.replace("/data", folder)
                file = Path(folder) / f"{name}.alive"
                self.assertNotEqual(self.run_shell(here), 0)
                file.touch()
                self.assertEqual(self.run_shell(here), 0)
                old = time.time() - 31
                os.utime(file, (old, old))
                self.assertNotEqual(self.run_shell(here), 0)

    def run_shell(self, command: str) -> int:
        done = subprocess.run(["sh", "-c", command], check=False, stderr=subprocess.DEVNULL)
        return done.returncode

    def test_there_are_two_beats_and_workers_may_be_scaled(self) -> None:
        self.assertEqual(SERVICES["beat"]["deploy"], {"replicas": 2})
        for name in ("worker", "beat"):
            self.assertNotIn("container_name", SERVICES[name])
            self.assertNotIn("ports", SERVICES[name])

    def test_a_worker_is_given_longer_than_its_webjobs(self) -> None:
        self.assertEqual(SERVICES["worker"]["stop_grace_period"], "75s")

    def test_every_variable_is_one_of_the_portal(self) -> None:
        for name in ("web", "worker", "beat"):
            variables = {**SERVICES[name]["environment"], **BUCKET["services"][name]["environment"]}
            for variable in variables:
                self.assertIn(f"`{variable}`", README, name)

    def test_no_build_argument_is_read_as_a_setting_while_the_image_is_built(self) -> None:
        arguments = re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE)
        for name in {*arguments, *SERVICES["web"]["build"]["args"]}:
            self.assertIn(name, arguments)
            self.assertNotIn(f"| `{name}` |", README)

    def test_the_database_is_ready_only_when_it_is_on_the_network(self) -> None:
        """While it makes its first database it answers on a socket alone, and then stops again."""
        self.assertIn("127.0.0.1", SERVICES["postgres"]["healthcheck"]["test"])

    def test_the_database_takes_the_connections_that_the_readme_reckons_with(self) -> None:
        (setting,) = (one for one in SERVICES["postgres"]["command"] if "max_connections" in one)
        self.assertGreaterEqual(int(setting.split("=")[1]), 8 * 30 + 20 + 2 * 5)

    def test_the_keys_of_a_bucket_come_from_files(self) -> None:
        self.assertEqual(set(BUCKET["services"]), {"web", "worker", "beat"})
        for secret, source in BUCKET["secrets"].items():
            self.assertEqual(source["file"], f"secrets/{secret}")
        for service in BUCKET["services"].values():
            self.assertEqual(set(service["secrets"]), set(BUCKET["secrets"]))

    def test_the_image_is_of_the_version_of_the_portal(self) -> None:
        for name in ("web", "worker", "beat"):
            self.assertEqual(SERVICES[name]["image"], f"webjobs-portal:{webjobs.__version__}")

    def test_the_image_takes_what_it_needs_and_leaves_the_rest(self) -> None:
        ignored = (BASE_DIR / ".dockerignore").read_text().split()
        # `.*` are .git, .venv and the caches of tools.
        self.assertLessEqual({".*", "secrets", "tests", "var"}, set(ignored))
        for needed in re.findall(r"requirements[\w-]*\.txt", DOCKERFILE):
            self.assertTrue((BASE_DIR / needed).is_file(), needed)
            self.assertNotIn(needed, ignored)
        self.assertTrue((BASE_DIR / "webjobs/locale/fr/LC_MESSAGES/django.mo").is_file())
        self.assertEqual(DOCKERFILE.count("\nFROM "), 2)
