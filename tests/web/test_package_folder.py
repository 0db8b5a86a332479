"""Packages in a folder: a file has its name once it is whole, whoever else uploads the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.files import File
from django.core.files.storage import storages
from django.test import TestCase

from tests.web.objects import make_upload
from webjobs import packages
from webjobs.models import Package


@pytest.mark.usefixtures("data_dir")
class PackageFolderTests(TestCase):
    @pytest.fixture(autouse=True)
    def find_folder(self, data_dir: Path) -> None:
        self.folder = data_dir / "packages"

    def setUp(self) -> None:
        self.upload = make_upload("echo one\n")
        self.name = Package(sha256=self.upload.checked.sha256).storage_name

    def names(self) -> list[str]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return [str(path.relative_to(self.folder)) for path in files]

    def test_of_two_uploads_at_once_none_sees_half_of_the_other(self) -> None:
        chunks = File.chunks

        def in_between(file: File[Any], size: int | None = None) -> Iterator[Any]:
            self.assertFalse(storages["packages"].exists(self.name))
            with mock.patch.object(File, "chunks", chunks):
                packages.keep(self.upload)
            yield from chunks(file, size)

        with mock.patch.object(File, "chunks", in_between):
            packages.keep(self.upload)
        self.assertEqual(self.names(), [self.name])
        self.assertEqual((self.folder / self.name).read_bytes(), b"echo one\n")

    def test_one_that_does_not_fit_leaves_nothing(self) -> None:
        def full(file: File[Any], size: int | None = None) -> Iterator[Any]:
            yield b"echo"
            raise OSError(28, "No space left on device")

        with (
            mock.patch.object(File, "chunks", full),
            self.assertRaisesMessage(packages.NotKept, "No space left on device"),
        ):
            packages.keep(self.upload)
        self.assertEqual(self.names(), [])

    def test_a_damaged_one_is_replaced(self) -> None:
        packages.keep(self.upload)
        for damaged in (b"echo", b"echo two\n"):
            (self.folder / self.name).write_bytes(damaged)
            packages.keep(self.upload)
            self.assertEqual((self.folder / self.name).read_bytes(), b"echo one\n")
        self.assertEqual(self.names(), [self.name])
