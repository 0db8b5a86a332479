from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.test import TestCase

from tests.web.objects import make_upload
from webjobs import packages
from webjobs.packages import CACHED, IN_USE


@pytest.mark.usefixtures("data_dir")
class PackageCacheTests(TestCase):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.cache = tmp_path

    def fetched(self, name: str, size: int, unused_for: float) -> Path:
        path = self.cache / name
        path.write_bytes(b"x" * size)
        at = time.time() - unused_for
        os.utime(path, (at, at))
        return path

    def test_those_used_least_recently_make_room(self) -> None:
        oldest = self.fetched("a", 100, 4 * IN_USE)
        old = self.fetched("b", 100, 3 * IN_USE)
        newer = self.fetched("c", 100, 2 * IN_USE)
        self.assertEqual(packages.trim_cache(self.cache, time.time(), most=200), 1)
        self.assertEqual([p.exists() for p in (oldest, old, newer)], [False, True, True])

    def test_one_that_was_asked_for_lately_stays_however_full_it_is(self) -> None:
        lately = self.fetched("a", 100, IN_USE / 2)
        self.assertEqual(packages.trim_cache(self.cache, time.time(), most=0), 0)
        self.assertTrue(lately.exists())

    def test_one_that_is_being_read_is_read_to_its_end(self) -> None:
        path = self.fetched("a", 100, 2 * IN_USE)
        with path.open("rb") as file:
            self.assertEqual(packages.trim_cache(self.cache, time.time(), most=0), 1)
            self.assertEqual(len(file.read()), 100)

    def test_to_ask_for_it_counts_as_use_and_a_removed_one_is_fetched_again(self) -> None:
        upload = make_upload("echo one\n")
        packages.keep(upload)
        package = packages.store(upload, None)
        path = packages.local_path(package, self.cache)
        long_ago = time.time() - 2 * IN_USE
        os.utime(path, (long_ago, long_ago))
        self.assertEqual(packages.local_path(package, self.cache), path)
        self.assertEqual(packages.trim_cache(self.cache, time.time(), most=0), 0)
        os.utime(path, (long_ago, long_ago))
        self.assertEqual(packages.trim_cache(self.cache, time.time(), most=0), 1)
        again = packages.local_path(package, self.cache)
        self.assertEqual(again.read_bytes(), b"echo one\n")

    def test_one_that_nobody_asked_for_in_a_week_goes_although_there_is_room(self) -> None:
        old = self.fetched("a", 100, 1.01 * CACHED)
        newer = self.fetched("b", 100, 0.99 * CACHED)
        self.assertEqual(packages.trim_cache(self.cache, time.time()), 1)
        self.assertEqual([p.exists() for p in (old, newer)], [False, True])

    def test_there_is_nothing_to_trim_before_the_first_is_fetched(self) -> None:
        self.assertEqual(packages.trim_cache(self.cache / "none", time.time()), 0)
