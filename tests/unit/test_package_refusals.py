"""What an upload is refused for, and that the answer names the entry and the way out."""

from __future__ import annotations

import os
import stat
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

from django.test import SimpleTestCase

from tests.support import zips
from webjobs.runner.package import PackageError, PackageLimits, check


class RefusalCase(SimpleTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.zip = self.folder / "job.zip"

    def refused(
        self, *words: str, name: str = "job.zip", limits: PackageLimits | None = None
    ) -> str:
        """The code of the refusal, whose message holds all `words`."""
        with self.assertRaises(PackageError) as caught:
            check(self.zip, name, limits)
        for word in words:
            self.assertIn(word, caught.exception.message)
        self.assertTrue(caught.exception.message.isprintable(), caught.exception.message)
        return caught.exception.code


class BrokenFilesTest(RefusalCase):
    def test_it_refuses_an_empty_file(self) -> None:
        self.zip.touch()
        self.assertEqual(self.refused("empty"), "empty_file")

    def test_it_refuses_what_is_no_zip(self) -> None:
        self.zip.write_bytes(b"#!/bin/sh\necho hello\n" * 100)
        self.assertEqual(self.refused("not a zip file"), "not_a_zip")

    def test_it_refuses_every_truncated_zip(self) -> None:
        zips.write(self.zip, {"run.sh": os.urandom(3000), "lib/data.bin": os.urandom(3000)})
        data = self.zip.read_bytes()
        for size in (5, 100, len(data) // 2, len(data) - 30, len(data) - 1):
            self.zip.write_bytes(data[:size])
            with self.subTest(size=size):
                self.assertEqual(self.refused("cut off"), "truncated")

    def test_it_refuses_a_zip_with_its_beginning_missing(self) -> None:
        zips.write(self.zip, {"run.sh": os.urandom(3000), "b.sh": "echo"})
        self.zip.write_bytes(self.zip.read_bytes()[2000:])
        self.assertEqual(self.refused("damaged"), "corrupt")

    def test_it_refuses_one_changed_byte_of_content(self) -> None:
        zips.write(self.zip, {"run.sh": "echo", "data.bin": os.urandom(100_000)})
        data = bytearray(self.zip.read_bytes())
        data[50_000] ^= 1
        self.zip.write_bytes(data)
        self.assertEqual(self.refused('"data.bin"'), "corrupt")

    def test_it_survives_any_single_changed_byte(self) -> None:
        zips.write(self.zip, {"run.sh": "echo hello", "settings.job": "{}"})
        data = self.zip.read_bytes()
        for at in range(len(data)):
            changed = bytearray(data)
            changed[at] ^= 0xFF
            self.zip.write_bytes(changed)
            with self.subTest(at=at):
                try:
                    check(self.zip, "job.zip")
                except PackageError as error:
                    self.assertTrue(error.message)

    def test_it_refuses_an_empty_zip(self) -> None:
        zips.write(self.zip, {})
        self.assertEqual(self.refused("empty"), "empty_zip")

    def test_it_refuses_a_zip_of_folders_only(self) -> None:
        zips.write(self.zip, {"a/": "", "a/b/": ""})
        self.assertEqual(self.refused("no file"), "empty_zip")

    def test_it_refuses_encrypted_entries(self) -> None:
        zips.write(self.zip, {"run.sh": "echo"})
        self.zip.write_bytes(zips.set_flag(self.zip.read_bytes(), 1))
        self.assertEqual(self.refused('"run.sh"', "password"), "encrypted")

    def test_it_refuses_methods_that_unpack_without_bounds(self) -> None:
        for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            zips.write_raw(self.zip, b"run-me.sh", method=method)
            with self.subTest(method=method):
                self.assertEqual(self.refused('"run-me.sh"', "Deflate"), "compression")

    def test_it_refuses_a_method_that_nobody_knows(self) -> None:
        zips.write(self.zip, {"run.sh": "echo"})
        data = self.zip.read_bytes().replace(b"\x08\x00", b"\x63\x00")
        self.zip.write_bytes(data)
        self.assertEqual(self.refused('"run.sh"'), "compression")


class NamesTest(RefusalCase):
    def test_it_refuses_paths_that_lead_out(self) -> None:
        for name in ("../run.sh", "a/../../run.sh", "..\\run.sh", "a\\..\\..\\run.sh", "a/.."):
            zips.write(self.zip, {"run.sh": "echo", name: "echo"})
            with self.subTest(name=name):
                self.assertEqual(self.refused("leads out"), "unsafe_path")

    def test_it_refuses_absolute_paths(self) -> None:
        for name in (
            b"/etc/passwd",
            b"\\windows\\run.cmd",
            b"C:\\run.cmd",
            b"c:/run.cmd",
            b"D:run.cmd",
        ):
            zips.write_raw(self.zip, name)
            with self.subTest(name=name):
                self.assertEqual(self.refused("absolute"), "unsafe_path")

    def test_it_refuses_names_that_differ_only_by_case(self) -> None:
        zips.write(self.zip, {"run.sh": "echo", "Data/a.txt": "", "data/A.TXT": ""})
        self.assertEqual(self.refused("differ only by case"), "name_clash")

    def test_it_refuses_names_that_differ_only_by_composition(self) -> None:
        zips.write(self.zip, {"run.sh": "", "caf\u00e9": "", "cafe\u0301": ""})
        self.assertEqual(self.refused("differ only"), "name_clash")

    def test_it_refuses_a_name_that_comes_twice(self) -> None:
        zips.write_raw(self.zip, b"run-me.sh", b"run-me.sh")
        self.assertEqual(self.refused('"run-me.sh"', "more than once"), "name_clash")

    def test_it_refuses_a_file_that_is_also_a_folder(self) -> None:
        for files in ({"run.sh": "", "a": "x", "a/b": ""}, {"run.sh": "", "a/b": "", "a": "x"}):
            zips.write(self.zip, files)
            with self.subTest(files=files):
                self.assertEqual(self.refused('"a"'), "name_clash")

    def test_it_refuses_control_characters_and_shows_them_harmlessly(self) -> None:
        for name in (b"run\x1b[2J.sh", b"run\nme.sh", b"run\x00me.sh"):
            zips.write_raw(self.zip, name)
            with self.subTest(name=name):
                self.assertEqual(self.refused("control character"), "bad_name")

    def test_it_refuses_names_marked_as_utf8_that_are_not(self) -> None:
        zips.write_raw(self.zip, b"caf\xe9-1.sh", utf8=True)
        self.assertEqual(self.refused("not valid UTF-8", "caf"), "bad_name")

    def test_it_refuses_names_that_no_disk_takes(self) -> None:
        zips.write(self.zip, {"run.sh": "", "x" * 256: ""})
        self.assertEqual(self.refused("too long", "…"), "bad_name")

    def test_it_refuses_links_devices_and_pipes(self) -> None:
        kinds = {
            stat.S_IFLNK: "link",
            stat.S_IFCHR: "special_file",
            stat.S_IFBLK: "special_file",
            stat.S_IFIFO: "special_file",
            stat.S_IFSOCK: "special_file",
        }
        for kind, code in kinds.items():
            zips.write_raw(self.zip, b"run-me.sh", mode=kind | 0o777)
            with self.subTest(code=code):
                self.assertEqual(self.refused('"run-me.sh"'), code)


class BombsTest(RefusalCase):
    def test_it_refuses_too_many_entries(self) -> None:
        zips.write(self.zip, {f"{number}.sh": "" for number in range(11)})
        limits = PackageLimits(entries=10)
        self.assertEqual(self.refused("11", "10", limits=limits), "too_many_entries")

    def test_it_refuses_a_table_of_contents_that_lies_about_its_length(self) -> None:
        zips.write(self.zip, {f"{number}.sh": "" for number in range(3000)})
        data = bytearray(self.zip.read_bytes())
        end = data.rfind(b"PK\x05\x06")
        data[end + 8 : end + 12] = b"\x01\x00\x01\x00"
        self.zip.write_bytes(data)
        self.assertEqual(self.refused("damaged"), "corrupt")

    def test_it_refuses_too_much_content(self) -> None:
        zips.write(self.zip, {f"{number}.bin": os.urandom(2 * 1024**2) for number in range(3)})
        limits = PackageLimits(total=5 * 1024**2)
        self.assertEqual(self.refused("5 MiB", limits=limits), "too_big")

    def test_it_refuses_an_entry_that_unpacks_to_far_more(self) -> None:
        zips.write(self.zip, {"run.sh": "echo", "zeros.bin": bytes(30 * 1024**2)})
        self.assertEqual(self.refused('"zeros.bin"', "200 times"), "ratio")

    def test_it_accepts_small_files_of_any_ratio(self) -> None:
        zips.write(self.zip, {"run.sh": "echo", "zeros.bin": bytes(1024**2)})
        self.assertEqual(check(self.zip, "job.zip").script, "run.sh")

    def test_it_does_not_believe_the_size_that_an_entry_tells(self) -> None:
        zips.write(self.zip, {"run.sh": "echo", "zeros.bin": bytes(30 * 1024**2)})
        size = (30 * 1024**2).to_bytes(4, "little")
        self.zip.write_bytes(self.zip.read_bytes().replace(size, (100).to_bytes(4, "little")))
        self.assertEqual(self.refused('"zeros.bin"'), "corrupt")

    def test_it_looks_at_a_large_zip_in_little_memory(self) -> None:
        zips.write(self.zip, {"run.sh": "echo", "data.bin": os.urandom(40 * 1024**2)})
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        check(self.zip, "job.zip")
        self.assertLess(tracemalloc.get_traced_memory()[1], 2 * 1024**2)


class ContentsTest(RefusalCase):
    def test_it_refuses_a_package_without_a_script(self) -> None:
        zips.write(self.zip, {"readme.txt": "", "settings.job": "{}"})
        self.assertEqual(self.refused("No runnable script file was found", ".jar"), "no_script")

    def test_it_says_that_a_script_lies_too_deep(self) -> None:
        zips.write(self.zip, {"readme.txt": "", "app/run.sh": "echo"})
        self.assertEqual(self.refused('"app/run.sh" lies too deep'), "no_script")

    def test_it_refuses_a_settings_job_that_is_no_json(self) -> None:
        zips.write(self.zip, {"run.sh": "", "settings.job": '{\n "schedule": oops\n}'})
        self.assertEqual(self.refused("settings.job", "line 2, column 14"), "settings")

    def test_it_refuses_a_settings_job_of_a_megabyte(self) -> None:
        zips.write(self.zip, {"run.sh": "", "settings.job": " " * 1024**2})
        self.assertEqual(self.refused("256 KiB"), "settings")

    def test_it_refuses_files_of_unknown_type(self) -> None:
        self.zip.write_text("hello")
        self.assertEqual(self.refused('"job.txt"', ".cmd", name="job.txt"), "not_supported")

    def test_it_refuses_a_script_whose_name_cannot_be_a_file(self) -> None:
        self.zip.write_text("echo")
        self.assertEqual(self.refused(name="run\n.sh"), "bad_name")
