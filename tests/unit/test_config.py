"""Every environment variable of the portal: its default, its good and its bad values."""

from __future__ import annotations

import re
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

from django.test import SimpleTestCase

from portal import config
from webjobs.first_start import Account
from webjobs.management.preparing import account_lines

README = config.BASE_DIR / "README.md"


class Recording(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.asked.add(name)
        return super().get(name, default)


class ConfigTest(SimpleTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()

    def read(self, **values: str) -> config.Config:
        return config.read({"DATA_DIR": str(self.folder), **values})

    def refused(self, **values: str) -> str:
        with self.assertRaises(config.ConfigError) as caught:
            self.read(**values)
        message = str(caught.exception)
        self.assertNotIn("\n", message)
        return message

    def test_it_needs_nothing(self) -> None:
        read = self.read()
        self.assertEqual((read.host, read.port, read.debug), ("127.0.0.1", 8000, False))
        self.assertEqual(read.database_url, f"sqlite:///{self.folder}/db.sqlite3")
        self.assertEqual(read.broker_socket, self.folder / "run" / "broker.sock")
        self.assertEqual(read.redis_url, f"redis+socket://{self.folder}/run/broker.sock")
        self.assertEqual((read.admin_username, read.admin_password), ("admin", ""))

    def test_empty_values_mean_the_default(self) -> None:
        names = [
            "HOST",
            "PORT",
            "DATABASE_URL",
            "REDIS_URL",
            "ADMIN_USERNAME",
            "DEBUG",
            "SECRET_KEY",
        ]
        read = self.read(**dict.fromkeys(names, ""))
        self.assertEqual(read, self.read())

    def test_the_secret_key_is_made_once_for_its_owner_only(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            keys = set(pool.map(lambda _: self.read().secret_key, range(8)))
        self.assertEqual(len(keys), 1)
        self.assertGreaterEqual(len(keys.pop()), 50)
        mode = stat.S_IMODE((self.folder / "secret_key").stat().st_mode)
        self.assertEqual(mode, 0o600)

    def test_an_empty_secret_key_file_is_refused(self) -> None:
        (self.folder / "secret_key").touch()
        self.assertIn("SECRET_KEY", self.refused())

    def test_secrets_may_come_from_files(self) -> None:
        for name in ("SECRET_KEY", "ADMIN_PASSWORD"):
            file = self.folder / name
            file.write_text(f"from the file of {name}\n")
            read = self.read(**{f"{name}_FILE": str(file)})
            self.assertEqual(getattr(read, name.lower()), f"from the file of {name}")

    def test_the_first_start_names_the_variable_that_set_the_password(self) -> None:
        file = self.folder / "password"
        file.write_text("correct-horse-9\n")
        for name, value in (("ADMIN_PASSWORD_FILE", str(file)), ("ADMIN_PASSWORD", "other")):
            lines = account_lines(Account("admin", ""), self.read(**{name: value}))
            self.assertTrue(lines[1].endswith(f" set with {name}"), lines)

    def test_a_missing_secret_file_is_refused_by_name(self) -> None:
        self.assertIn("SECRET_KEY_FILE", self.refused(SECRET_KEY_FILE=str(self.folder / "none")))

    def test_a_long_data_directory_moves_the_socket_to_a_short_place(self) -> None:
        folder = self.folder / ("long" * 30)
        socket = config.read({"DATA_DIR": str(folder)}).broker_socket
        assert socket is not None
        self.assertLessEqual(len(bytes(socket)), config.MAX_SOCKET_PATH)
        self.assertNotEqual(socket, config.read({"DATA_DIR": str(self.folder)}).broker_socket)

    def test_with_a_broker_of_ones_own_none_is_started(self) -> None:
        read = self.read(REDIS_URL="redis://broker:6379/0")
        self.assertIsNone(read.broker_socket)
        self.assertEqual(read.redis_url, "redis://broker:6379/0")

    def test_numbers_out_of_range_are_refused_by_name(self) -> None:
        for name, value in (
            ("PORT", "0"), ("PORT", "65536"), ("PORT", "eighty"), ("PORT", "8000.5"),
            ("WORKER_THREADS", "0"), ("WEB_THREADS", "-1"), ("MAX_UPLOAD_MB", "lots"),
            ("RUN_LOG_LIMIT_MB", "0"), ("CONTINUOUS_LOG_LIMIT_MB", "x"),
        ):  # fmt: skip
            with self.subTest(name=name, value=value):
                message = self.refused(**{name: value})
                self.assertTrue(message.startswith(f"{name}: "), message)
                self.assertIn(repr(value), message)

    def test_other_bad_values_are_refused_by_name(self) -> None:
        for name, value in (
            ("DEBUG", "maybe"), ("TRUST_PROXY", "2"), ("ADMIN_USERNAME", "a b"),
            ("DATABASE_URL", "mysql://host/db"), ("DATABASE_URL", "postgres://host"),
            ("DATABASE_URL", "postgres://host:port/db"), ("DATABASE_URL", "sqlite:///:memory:"),
            ("REDIS_URL", "amqp://host"), ("CSRF_TRUSTED_ORIGINS", "jobs.example.org"),
            ("PACKAGES_STORAGE", "packages"), ("PACKAGES_STORAGE", str(self.folder / "none")),
            ("PACKAGES_STORAGE", "s3://"), ("PACKAGES_STORAGE", "s3://A_bucket/x"),
            ("PACKAGES_STORAGE", "s3://bucket?x=1"),
            ("INTERPRETERS", "{"), ("INTERPRETERS", "[]"), ("INTERPRETERS", '{".py": 3}'),
        ):  # fmt: skip
            with self.subTest(name=name, value=value):
                message = self.refused(**{name: value})
                self.assertTrue(message.startswith(f"{name}: "), message)

    def test_packages_may_be_in_a_shared_folder(self) -> None:
        shared = self.folder / "shared"
        shared.mkdir()
        self.assertEqual(self.read().packages_dir, self.folder / "packages")
        self.assertEqual(self.read(PACKAGES_STORAGE=str(shared)).packages_dir, shared)

    def test_packages_may_be_in_a_bucket(self) -> None:
        key = self.folder / "key"
        key.write_text("hush\n")
        read = self.read(
            PACKAGES_STORAGE="s3://jobs/portal/",
            S3_ENDPOINT_URL="https://s3.example.org",
            AWS_ACCESS_KEY_ID="me",
            AWS_SECRET_ACCESS_KEY_FILE=str(key),
        )
        wanted = config.Bucket("jobs", "portal", "https://s3.example.org", "", "me", "hush")
        self.assertEqual(read.bucket, wanted)
        self.assertIsNone(self.read().bucket)

    def test_half_a_bucket_is_refused_by_name(self) -> None:
        for name, values in (
            ("AWS_SECRET_ACCESS_KEY", {"AWS_ACCESS_KEY_ID": "me"}),
            ("AWS_ACCESS_KEY_ID", {"AWS_SECRET_ACCESS_KEY": "hush"}),
            ("S3_ENDPOINT_URL", {"S3_ENDPOINT_URL": "s3.example.org"}),
            ("S3_ENDPOINT_URL", {"S3_ENDPOINT_URL": "ftp://s3.example.org"}),
        ):
            with self.subTest(name=name):
                message = self.refused(PACKAGES_STORAGE="s3://jobs", **values)
                self.assertTrue(message.startswith(f"{name}: "), message)
                self.assertNotIn("hush", message)

    def test_a_bucket_without_its_packages_says_what_to_install(self) -> None:
        with patch.object(config, "find_spec", return_value=None):
            self.assertIn("requirements-s3.txt", self.refused(PACKAGES_STORAGE="s3://jobs"))

    def test_a_refused_database_address_does_not_show_its_password(self) -> None:
        for address in ("postgres://me:hush@host:port/db", "mysql://me:hush@host/db"):
            self.assertNotIn("hush", self.refused(DATABASE_URL=address))

    def test_a_data_directory_under_a_file_is_refused(self) -> None:
        file = self.folder / "file"
        file.touch()
        message = self.refused(DATA_DIR=str(file / "data"))
        self.assertTrue(message.startswith(f"DATA_DIR: cannot write to {file / 'data'}"), message)

    def test_switches_understand_the_usual_words(self) -> None:
        for text, wanted in (
            ("1", True),
            ("TRUE", True),
            ("on", True),
            ("0", False),
            ("No", False),
        ):
            self.assertIs(self.read(DEBUG=text).debug, wanted)

    def test_a_wildcard_host_answers_to_the_name_of_the_machine(self) -> None:
        for host in config.WILDCARDS:
            self.assertNotIn(host, self.read(HOST=host).allowed_hosts)
        self.assertIn("10.0.0.5", self.read(HOST="10.0.0.5").allowed_hosts)

    def test_allowed_hosts_is_a_list(self) -> None:
        read = self.read(ALLOWED_HOSTS="jobs.example.org, jobs2.example.org,")
        self.assertEqual(read.allowed_hosts, ["jobs.example.org", "jobs2.example.org"])

    def test_the_readme_names_every_variable_and_no_other(self) -> None:
        environ = Recording({"DATA_DIR": str(self.folder)})
        config.read(environ)
        section = README.read_text().split("## Settings", 1)[1].split("\n## ", 1)[0]
        named = set(re.findall(r"^\| `([A-Z0-9_]+)`", section, re.MULTILINE))
        asked = {name for name in environ.asked if not name.endswith("_FILE")}
        self.assertEqual(named, asked)
        for name in environ.asked - asked:
            self.assertIn(f"`{name}`", section)
