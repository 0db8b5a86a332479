"""What README and docs/ name is there: commands, targets, settings, files, addresses."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from celery.bin.celery import celery as celery_command
from django.core.management import get_commands
from django.test import SimpleTestCase
from django.urls import Resolver404, resolve

from portal import config
from portal.config import BASE_DIR
from tests.unit.test_config import Recording

README = (BASE_DIR / "README.md").read_text(encoding="utf-8")
DOCS = BASE_DIR / "docs"
UNITS = {path.stem.removeprefix("webjobs-"): path for path in DOCS.glob("systemd/*.service")}
# Where the example installs the portal.
INSTALLED = "/opt/webjobs-portal"
# Kudu's and Azure's paths that only an example app or WebJob answers to are not looked up.
PAGES = re.compile(r"`(?:GET |POST )?(/[a-z][\w/-]*)`")
# What is on a machine besides the portal's own folders.
OTHERS = ("/opt/", "/etc/", "/srv/", "/var/", "/run/", "/api/")


def known_settings() -> set[str]:
    """Every environment variable that the portal reads."""
    with tempfile.TemporaryDirectory() as folder:
        environ = Recording({"DATA_DIR": folder})
        config.read(environ)
    return environ.asked


def unit(name: str) -> dict[str, list[str]]:
    """The directives of a unit by name, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in UNITS[name].read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def environment(values: dict[str, list[str]]) -> dict[str, str]:
    pairs = " ".join(values["Environment"]).split()
    return dict(pair.split("=", 1) for pair in pairs)


class ReadmeTest(SimpleTestCase):
    def test_every_command_of_manage_exists(self) -> None:
        named = set(re.findall(r"manage\.py (\w+)", README))
        self.assertIn("up", named)
        self.assertLessEqual(named, set(get_commands()))

    def test_every_make_target_exists(self) -> None:
        makefile = (BASE_DIR / "Makefile").read_text()
        targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
        named = set(re.findall(r"^make ([a-z][\w-]*)|`make ([a-z][\w-]*)", README, re.MULTILINE))
        self.assertLessEqual({one or other for one, other in named}, targets)

    def test_every_file_that_it_points_to_exists(self) -> None:
        links = re.findall(r"\]\(([^)#]+)\)", README)
        links += re.findall(r"`(docs/[\w./-]+|docker-compose\.yml|samples/)`", README)
        for link in links:
            if not urlsplit(link).scheme:
                self.assertTrue((BASE_DIR / link).exists(), link)

    def test_every_page_that_it_names_exists(self) -> None:
        named = [path for path in PAGES.findall(README) if not path.startswith(OTHERS)]
        self.assertIn("/healthz", named)
        for path in named:
            try:
                resolve(path)
            except Resolver404:
                self.fail(f"There is no page {path}.")

    def test_every_setting_in_its_examples_exists(self) -> None:
        blocks = re.findall(r"^```\w*\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
        named = {name for block in blocks for name in re.findall(r"\b([A-Z][A-Z0-9_]+)=", block)}
        self.assertIn("ALLOWED_HOSTS", named)
        other = {"REQUESTS_CA_BUNDLE", "WEBJOBS_TOKEN"}
        other |= set(re.findall(r"\$\((\w+)\)", (BASE_DIR / "Makefile").read_text()))
        self.assertLessEqual(named - other, known_settings())


class SystemdTest(SimpleTestCase):
    def test_there_is_a_unit_for_each_process(self) -> None:
        self.assertEqual(set(UNITS), {"web", "worker", "beat"})
        for name in UNITS:
            self.assertIn(f"webjobs-{name}", README)

    def test_systemd_understands_them(self) -> None:
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        for path in UNITS.values():
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", str(path)],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            # The portal is not installed where the example has it; nothing else may be wrong.
            lines = [
                line
                for line in done.stderr.splitlines()
                if path.name in line and f"{INSTALLED}/.venv/bin/" not in line
            ]
            self.assertEqual(lines, [], path.name)

    def test_they_are_readable_as_sections(self) -> None:
        for path in UNITS.values():
            parser = configparser.RawConfigParser(strict=False)
            parser.read_string(path.read_text())
            self.assertEqual(parser.sections(), ["Unit", "Service", "Install"])

    def test_their_commands_exist(self) -> None:
        for name in UNITS:
            (command,) = unit(name)["ExecStart"]
            program, *words = command.split()
            self.assertTrue(program.startswith(f"{INSTALLED}/.venv/bin/"), command)
            self.assertEqual(unit(name)["WorkingDirectory"], [INSTALLED])
            if Path(program).name == "python":
                self.assertTrue((BASE_DIR / words[0]).is_file())
                self.assertIn(words[1], get_commands())
            else:
                self.assertIn(name, words)
                self.assertIn(name, celery_command.commands)

    def test_every_variable_is_one_of_the_portal(self) -> None:
        known = known_settings() | {"PYTHONUNBUFFERED"}
        lines = (DOCS / "systemd/portal.env").read_text().splitlines()
        named = {line.lstrip("#").split("=")[0] for line in lines if re.match(r"#?[A-Z_]+=", line)}
        for name in UNITS:
            named |= set(environment(unit(name)))
        self.assertLessEqual(named, known)

    def test_every_secret_comes_from_a_credential_of_the_unit(self) -> None:
        for name in UNITS:
            values = unit(name)
            given = {value.split(":")[0] for value in values["LoadCredential"]}
            used = {
                value.removeprefix("%d/")
                for variable, value in environment(values).items()
                if variable.endswith("_FILE")
            }
            self.assertEqual(used, given)
            for variable in environment(values):
                self.assertNotRegex(variable, r"(SECRET_KEY|_URL|PASSWORD)$")
            for value in values["LoadCredential"]:
                self.assertIn(value.split("/")[-1], README)

    def test_the_worker_alone_gets_term_and_has_time_to_end(self) -> None:
        worker = unit("worker")
        self.assertEqual(worker["KillMode"], ["mixed"])
        self.assertEqual(worker["TimeoutStopSec"], ["75"])
        self.assertEqual(worker["OOMPolicy"], ["continue"])
        # WebJobs run in it, and may compile code.
        self.assertNotIn("MemoryDenyWriteExecute", worker)

    def test_none_is_root_or_may_become_it(self) -> None:
        for name in UNITS:
            values = unit(name)
            self.assertEqual(values["User"], ["webjobs"])
            self.assertEqual(values["NoNewPrivileges"], ["yes"])
            self.assertEqual(values["CapabilityBoundingSet"], [""])


class ProxyTest(SimpleTestCase):
    def test_the_proxy_sets_every_header_that_the_portal_believes(self) -> None:
        nginx = (DOCS / "nginx.conf").read_text()
        for header in ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For"):
            self.assertIn(f"proxy_set_header {header} $", nginx)
        for file in ("nginx.conf", "Caddyfile"):
            text = (DOCS / file).read_text()
            self.assertIn("127.0.0.1:8000", text)
            self.assertIn("jobs.example.org", text)
            self.assertIn("TRUST_PROXY=1", text)
            self.assertIn(f"docs/{file}", README)

    def test_what_is_uploaded_fits_through_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            most = config.read({"DATA_DIR": folder}).max_upload // config.MIB
        for file in ("nginx.conf", "Caddyfile"):
            found = re.search(r"(?:client_max_body_size|max_size) (\d+)", (DOCS / file).read_text())
            assert found
            self.assertGreater(int(found[1]), most)
