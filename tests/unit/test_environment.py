"""What a job's process sees of the world."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest import skipIf

from django.test import SimpleTestCase

from webjobs.runner.environment import (
    LANGUAGE,
    MARKER_VARIABLE,
    JobContext,
    build_environment,
    marker_entry,
    search_path,
)
from webjobs.states import JobType

PORTAL = {
    "PATH": "/usr/bin:/bin",
    "SECRET_KEY": "the portal's",
    "DATABASE_URL": "postgres://user:secret@host/db",
    "REDIS_URL": "redis://:secret@host",
    "ADMIN_PASSWORD": "secret",
    "PYTHONPATH": "/portal",
    "PYTHONHOME": "/portal",
    "VIRTUAL_ENV": "/portal/.venv",
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "HOME": "/root",
    "LANG": "xx_XX.UTF-8",
    "LC_ALL": "xx_XX.UTF-8",
    "LD_PRELOAD": "/portal/x.so",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
RUN = JobContext(
    app="shop",
    slot="production",
    job_name="nightly",
    job_type=JobType.TRIGGERED,
    run_id="202601020304050000",
    arguments='--all "a b"',
    settings={},
    instance_id="0123456789ab",
    home=Path("/data/home/shop/production"),
    working_dir=Path("/data/temp/copy"),
    data_path=Path("/data/home/shop/production/data/jobs/triggered/nightly"),
    temp_dir=Path("/data/temp/tmp"),
    shutdown_file=Path("/data/temp/stop"),
    port=None,
    marker="mark-1",
)


@skipIf(os.name == "nt", "compares the whole environment of other systems")
class EnvironmentTest(SimpleTestCase):
    def test_it_holds_these_variables_and_no_others(self) -> None:
        environment = build_environment(RUN, PORTAL)
        self.assertTrue(environment.pop("PATH").startswith("/usr/bin:/bin"))
        expected = {
            "HOME": "/data/home/shop/production",
            "LANG": LANGUAGE,
            "PYTHONIOENCODING": "utf-8",
            "PYTHONUNBUFFERED": "1",
            "TEMP": "/data/temp/tmp",
            "TMP": "/data/temp/tmp",
            "TMPDIR": "/data/temp/tmp",
            "WEBJOBS_COMMAND_ARGUMENTS": '--all "a b"',
            "WEBJOBS_DATA_PATH": "/data/home/shop/production/data/jobs/triggered/nightly",
            "WEBJOBS_NAME": "nightly",
            "WEBJOBS_PATH": "/data/temp/copy",
            "WEBJOBS_RUN_ID": "202601020304050000",
            "WEBJOBS_SHUTDOWN_FILE": "/data/temp/stop",
            "WEBJOBS_TYPE": "triggered",
            "WEBROOT_PATH": "/data/home/shop/production/site/wwwroot",
            "WEBSITE_INSTANCE_ID": "0123456789ab",
            "WEBSITE_SITE_NAME": "shop",
            "WEBSITE_SLOT_NAME": "production",
            "WEBSITE_TRIGGERED_JOB_RUNNING_nightly": "true",
            MARKER_VARIABLE: "mark-1",
        }
        self.assertEqual(environment, expected)

    def test_a_continuous_job_has_a_port_and_its_own_mark(self) -> None:
        context = replace(RUN, job_type=JobType.CONTINUOUS, run_id="", port=4711, arguments="")
        environment = build_environment(context, PORTAL)
        self.assertEqual(environment["WEBJOBS_PORT"], "4711")
        self.assertEqual(environment["WEBJOBS_RUN_ID"], "")
        self.assertEqual(environment["WEBJOBS_TYPE"], "continuous")
        self.assertEqual(environment["WEBSITE_ALWAYS_ON_JOB_RUNNING_nightly"], "true")
        self.assertNotIn("WEBSITE_TRIGGERED_JOB_RUNNING_nightly", environment)

    def test_app_settings_come_bare_and_with_their_prefix(self) -> None:
        settings = {"GREETING": "héllo", "A.B:c": "1", "EMPTY": ""}
        environment = build_environment(replace(RUN, settings=settings), PORTAL)
        for name, value in settings.items():
            self.assertEqual(environment[name], value)
            self.assertEqual(environment[f"APPSETTING_{name}"], value)

    def test_app_settings_replace_defaults(self) -> None:
        settings = {"PYTHONUNBUFFERED": "", "LANG": "fr_FR.UTF-8", "PATH": "/opt/bin", "X": "2"}
        context = replace(RUN, settings=settings, extra={"X": "1", "Y": "1"})
        environment = build_environment(context, PORTAL)
        for name, value in {**settings, "Y": "1"}.items():
            self.assertEqual(environment[name], value)

    def test_app_settings_do_not_replace_what_describes_the_job(self) -> None:
        described = [name for name in build_environment(RUN, {}) if name.startswith("WEB")]
        settings = dict.fromkeys([*described, "WEBJOBS_IDLE_TIMEOUT"], "forged")
        environment = build_environment(replace(RUN, settings=settings), PORTAL)
        forged = [name for name, value in environment.items() if value == "forged"]
        self.assertEqual([n for n in forged if n[:4] != "APPS"], ["WEBJOBS_IDLE_TIMEOUT"])

    def test_settings_that_no_process_can_receive_are_left_out(self) -> None:
        settings = {"": "x", "A=B": "x", "C\0": "x", "D": "x\0y", "E": "ok"}
        environment = build_environment(replace(RUN, settings=settings), {})
        self.assertEqual([n for n in environment if n.startswith("APPS")], ["APPSETTING_E"])
        self.assertFalse(any("=" in n or "\0" in n + v for n, v in environment.items()))

    def test_programs_under_wine_see_the_paths_of_windows(self) -> None:
        environment = build_environment(replace(RUN, windows_paths=True), PORTAL)
        self.assertEqual(environment["WEBJOBS_PATH"], "Z:\\data\\temp\\copy")
        self.assertEqual(environment["WEBJOBS_SHUTDOWN_FILE"], "Z:\\data\\temp\\stop")
        self.assertEqual(environment["HOME"], "/data/home/shop/production")

    def test_the_marker_entry_is_in_the_environment(self) -> None:
        name, _, value = marker_entry(RUN).partition("=")
        self.assertEqual(build_environment(RUN, {})[name], value)


@skipIf(os.name == "nt", "paths of other systems")
class SearchPathTest(SimpleTestCase):
    def test_virtual_environments_are_left_out(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "pyvenv.cfg").touch()
            path = search_path(f"{folder}/bin:/usr/games:{sys.prefix}/bin")
        self.assertEqual(path.split(":")[0], "/usr/games")
        self.assertNotIn(folder, path)
        self.assertNotIn(f"{sys.prefix}/bin:", path + ":")

    def test_relative_folders_are_left_out(self) -> None:
        self.assertEqual(search_path(":.:bin:/usr/games:").split(":")[0], "/usr/games")

    def test_the_folders_of_the_system_are_always_there_and_once(self) -> None:
        folders = search_path("/bin:/usr/games:/bin").split(":")
        self.assertEqual(folders[:2], ["/bin", "/usr/games"])
        self.assertIn("/usr/bin", folders)
        self.assertEqual(len(folders), len(set(folders)))
