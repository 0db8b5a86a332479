"""What a good upload is found to be."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from unittest import mock

from django.test import SimpleTestCase

from tests.support import zips
from webjobs.runner.extraction import extract, zip_folder
from webjobs.runner.package import Package, PackageError, PackageLimits, check


class PackageCase(SimpleTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.zip = self.folder / "job.zip"

    def checked(self, files: dict[str, str | bytes]) -> Package:
        return check(zips.write(self.zip, files), "job.zip")


class CheckTest(PackageCase):
    def test_it_tells_what_a_zip_is(self) -> None:
        package = self.checked({"lib/": "", "lib/a.txt": "abc", "run.sh": "echo"})
        data = self.zip.read_bytes()
        self.assertEqual(package.sha256, hashlib.sha256(data).hexdigest())
        self.assertEqual((package.size, package.kind), (len(data), "zip"))
        self.assertEqual(
            [(e.path, e.size, e.is_dir) for e in package.entries],
            [("lib", 0, True), ("lib/a.txt", 3, False), ("run.sh", 4, False)],
        )

    def test_it_takes_a_single_script(self) -> None:
        self.zip.write_text("echo hello")
        package = check(self.zip, "C:\\jobs\\Nightly.CMD")
        self.assertEqual((package.kind, package.file_name), ("file", "Nightly.CMD"))
        self.assertEqual((package.script, package.candidates), ("Nightly.CMD", ("Nightly.CMD",)))

    def test_it_takes_a_jar_as_a_script_although_it_is_a_zip(self) -> None:
        zips.write(self.zip, {"META-INF/MANIFEST.MF": "Main-Class: Hello\n"})
        self.assertEqual(check(self.zip, "app.jar").kind, "file")

    def test_it_knows_a_zip_by_its_content_when_the_name_says_nothing(self) -> None:
        zips.write(self.zip, {"run.sh": "echo"})
        self.assertEqual(check(self.zip, "upload").kind, "zip")

    def test_the_caller_may_say_that_it_is_a_zip(self) -> None:
        zips.write(self.zip, {"run.sh": "echo"})
        self.assertEqual(check(self.zip, "run.cmd", kind="zip").script, "run.sh")

    def test_it_takes_backslashes_as_separators(self) -> None:
        zips.write_raw(self.zip, b"lib\\tools.dll", b"run-it.cmd")
        package = check(self.zip, "job.zip")
        self.assertEqual([e.path for e in package.entries], ["lib/tools.dll", "run-it.cmd"])

    def test_it_leaves_out_what_macos_adds(self) -> None:
        package = self.checked(
            {"app/run.sh": "", "app/.DS_Store": "x", "__MACOSX/app/._run.sh": "x"}
        )
        self.assertEqual(package.script, "app/run.sh")
        self.assertEqual([e.path for e in package.entries], ["app/run.sh"])

    def test_it_reads_names_of_old_programs(self) -> None:
        zips.write_raw(self.zip, "donn\u00e9es.sh".encode("cp437"))
        self.assertEqual(check(self.zip, "job.zip").script, "donn\u00e9es.sh")

    def test_it_reads_utf8_names_without_their_mark(self) -> None:
        zips.write_raw(self.zip, "donn\u00e9es.sh".encode())
        self.assertEqual(check(self.zip, "job.zip").script, "donn\u00e9es.sh")

    def test_it_takes_a_zip_behind_another_program(self) -> None:
        zips.write(self.zip, {"run.sh": "echo"})
        self.zip.write_bytes(b"MZ self-extracting stub" + self.zip.read_bytes())
        self.assertEqual(check(self.zip, "job.zip").script, "run.sh")

    def test_it_takes_a_zip_with_64_bit_records(self) -> None:
        with mock.patch("zipfile.ZIP_FILECOUNT_LIMIT", 1), zipfile.ZipFile(self.zip, "w") as zip:
            with zip.open("run.sh", "w", force_zip64=True) as file:
                file.write(b"echo")
            zip.writestr("data.txt", "x")
        self.assertIn(b"PK\x06\x06", self.zip.read_bytes())
        self.assertEqual(len(check(self.zip, "job.zip").entries), 2)
        with self.assertRaises(PackageError):
            check(self.zip, "job.zip", PackageLimits(entries=1))


class SettingsTest(PackageCase):
    def test_it_reads_settings_beside_the_script(self) -> None:
        package = self.checked({"app/run.sh": "", "app/settings.job": '{"is_singleton": true}'})
        self.assertIs(package.settings.is_singleton, True)

    def test_outer_settings_do_not_hide_the_job(self) -> None:
        package = self.checked({"app/run.sh": "", "settings.job": '{"is_singleton": true}'})
        self.assertEqual(package.script, "app/run.sh")
        self.assertIs(package.settings.is_singleton, True)

    def test_settings_beside_the_script_win_over_the_outer_ones(self) -> None:
        package = self.checked(
            {
                "app/run.sh": "",
                "app/settings.job": '{"stopping_wait_time": 1}',
                "settings.job": '{"stopping_wait_time": 2}',
            }
        )
        self.assertEqual(package.settings.stopping_wait_time, 1)


class ExtractTest(PackageCase):
    def extracted(self, kind: str = "zip", name: str = "job.zip") -> Path:
        target = self.folder / "out" / "job"
        with self.zip.open("rb") as source:
            extract(source, "zip" if kind == "zip" else "file", name, target)
        return target

    def test_it_writes_what_the_zip_holds(self) -> None:
        data = os.urandom(200_000)
        zips.write(self.zip, {"run.sh": "echo", "lib/data.bin": data, "empty/": ""})
        target = self.extracted()
        self.assertEqual((target / "lib" / "data.bin").read_bytes(), data)
        self.assertTrue((target / "empty").is_dir())
        self.assertEqual([p.name for p in target.parent.iterdir()], ["job"])

    def test_it_keeps_times_and_makes_scripts_executable(self) -> None:
        with zipfile.ZipFile(self.zip, "w") as archive:
            archive.writestr(zipfile.ZipInfo("run.sh", (2021, 5, 6, 7, 8, 10)), "echo")
            archive.writestr(zipfile.ZipInfo("data.txt", (2021, 5, 6, 7, 8, 10)), "x")
            tool = zipfile.ZipInfo("tool")
            tool.external_attr = 0o100755 << 16
            archive.writestr(tool, "x")
        target = self.extracted()
        self.assertEqual(os.stat(target / "run.sh").st_mtime, os.stat(target / "data.txt").st_mtime)
        self.assertTrue(1620172800 < os.stat(target / "run.sh").st_mtime < 1620432000)
        self.assertTrue(os.access(target / "run.sh", os.X_OK))
        self.assertTrue(os.access(target / "tool", os.X_OK))
        self.assertFalse(os.stat(target / "data.txt").st_mode & 0o111)

    def test_it_writes_a_single_script_into_a_folder(self) -> None:
        self.zip.write_text("echo")
        target = self.extracted("file", "go.sh")
        self.assertEqual([p.name for p in target.iterdir()], ["go.sh"])
        self.assertTrue(os.access(target / "go.sh", os.X_OK))

    def test_a_name_with_folders_stays_in_its_folder(self) -> None:
        self.zip.write_text("echo")
        for name in ("../../go.sh", "C:\\jobs\\go.sh", "/tmp/go.sh"):
            target = self.extracted("file", name)
            self.assertEqual([p.name for p in target.iterdir()], ["go.sh"])
            shutil.rmtree(target)

    def test_a_failure_leaves_nothing(self) -> None:
        zips.write(self.zip, {"run.sh": "echo", "data.bin": os.urandom(100_000)})
        data = bytearray(self.zip.read_bytes())
        data[50_000] ^= 1
        target = self.folder / "out" / "job"
        with self.assertRaises(PackageError):
            extract(io.BytesIO(data), "zip", "job.zip", target)
        self.assertEqual(list(target.parent.iterdir()), [])


class ZipFolderTest(PackageCase):
    def test_the_same_files_give_the_same_bytes(self) -> None:
        results = []
        for name, order in (("one", ["b.txt", "run.sh"]), ("two", ["run.sh", "b.txt"])):
            folder = self.folder / name
            folder.mkdir()
            for number, file in enumerate(order):
                (folder / file).write_text(file)
                os.utime(folder / file, (number * 1e9, number * 1e9))
            zip_folder(folder, self.folder / f"{name}.zip")
            results.append((self.folder / f"{name}.zip").read_bytes())
        self.assertEqual(results[0], results[1])
        self.assertEqual(check(self.folder / "one.zip", "one.zip").script, "run.sh")
