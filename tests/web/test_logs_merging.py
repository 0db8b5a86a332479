"""Small chunks are put together, and nobody who reads or writes the log notices."""

from __future__ import annotations

import threading
from unittest import mock

from django.db import connections
from django.test import TransactionTestCase

from tests.support.logs import new_log
from tests.web.test_logs_failures import answer_lost
from webjobs import logs
from webjobs.logs import LogWriter, merging
from webjobs.logs.frames import MAX_TIME_SPAN
from webjobs.logs.merging import FEWEST, UNTOUCHED, Merger, merge
from webjobs.models import Log, LogChunk
from webjobs.states import Stream

NOON = 1_700_000_000.0
MIB = 1024 * 1024
STREAMS = [Stream.OUT, Stream.ERR, Stream.OUT, Stream.SYSTEM]
# Whole lines, parts of lines, line ends by themselves, a character that is no UTF-8.
TEXTS = [b"a line\n", b"the first half, ", b"the second\n", b"\n", b"\xff\r\n", "é".encode()]


def print_to(writer: LogWriter, first: int, count: int, every: float = 1.0) -> None:
    """One chunk each."""
    for number in range(first, first + count):
        text = f"{number} ".encode() + TEXTS[number % len(TEXTS)]
        writer.append(STREAMS[number // 5 % len(STREAMS)], text, NOON + number * every)
        writer.flush()


def seen(log: Log) -> tuple[object, ...]:
    """All that readers can tell of a log."""
    log.refresh_from_db()
    lines = [logs.read_lines(log, number, 3) for number in range(1, log.lines + 1)]
    pages = [logs.read_after(log, offset, 40) for offset in range(0, log.size, 17)]
    before = [logs.read_before(log, offset, 2) for offset in range(0, log.size, 23)]
    raw = [b"".join(logs.raw(log, stream)) for stream in (None, *STREAMS)]
    return b"".join(logs.azure_text(log)), lines, pages, before, raw


class MergingTests(TransactionTestCase):
    def setUp(self) -> None:
        self.log = new_log()
        self.writer = LogWriter(self.log, limit=MIB)

    def bytes(self) -> bytes:
        return b"".join(logs.raw(self.log, None))

    def test_readers_see_what_they_saw(self) -> None:
        print_to(self.writer, 0, 60)
        before = seen(self.log)
        self.assertEqual(merge(self.log.pk), 60 - UNTOUCHED - 1)
        self.assertEqual(LogChunk.objects.count(), 1 + UNTOUCHED)
        self.assertEqual(seen(self.log), before)
        self.assertEqual(merge(self.log.pk), 0)

    def test_the_writer_goes_on_behind_it(self) -> None:
        whole = LogWriter(new_log(), limit=MIB)
        for turn in range(3):
            for writer in (self.writer, whole):
                print_to(writer, turn * 25, 25)
            merge(self.log.pk)
        for writer in (self.writer, whole):
            writer.complete()
        self.assertEqual(seen(self.log)[1:], seen(whole.log)[1:])
        self.assertLess(self.log.chunks.count(), 20)
        self.assertEqual(whole.log.chunks.count(), 75)

    def test_a_reader_in_the_middle_reads_on(self) -> None:
        print_to(self.writer, 0, 60)
        whole = self.bytes()
        with mock.patch("webjobs.logs.chunks._STEP", 50):
            reading = logs.raw(self.log, None)
            parts = [next(reading)]
            page = logs.read_after(self.log, 0, 100)
            merge(self.log.pk)
            parts += reading
        self.assertEqual(b"".join(parts), whole)
        texts = [line.text for line in page.lines]
        while page.end < page.size:
            page = logs.read_after(self.log, page.end, 100)
            texts += [line.text for line in page.lines]
        self.assertEqual(
            "".join(texts), whole.decode(errors="replace").replace("\r", "").replace("\n", "")
        )

    def test_of_two_who_try_the_second_gives_up(self) -> None:
        print_to(self.writer, 0, 60)
        whole = self.bytes()
        group = next(merging._groups(merging._heads(self.log.pk)))
        # The last one of the second's group is the first one of what the first puts together.
        late, early = group[:20], group[19:40]
        self.assertTrue(merging._replace(self.log.pk, early))
        for one in (late, early, group):
            self.assertFalse(merging._replace(self.log.pk, one))
        self.assertEqual(self.bytes(), whole)
        self.assertTrue(merging._replace(self.log.pk, group[:19]))
        self.assertEqual(self.bytes(), whole)

    def test_what_rolling_has_deleted_does_not_come_back(self) -> None:
        print_to(self.writer, 0, 60)
        (group,) = merging._groups(merging._heads(self.log.pk))
        rolling = LogWriter(self.log, limit=200, rolling=True)
        print_to(rolling, 60, 1)
        whole = self.bytes()
        self.assertFalse(merging._replace(self.log.pk, group))
        self.assertEqual(self.bytes(), whole)
        merge(self.log.pk)
        self.assertEqual(self.bytes(), whole)

    def test_a_log_that_is_deleted_meanwhile_stays_deleted(self) -> None:
        print_to(self.writer, 0, 60)
        (group,) = merging._groups(merging._heads(self.log.pk))
        self.log.delete()
        self.assertFalse(merging._replace(self.log.pk, group))
        self.assertFalse(LogChunk.objects.exists())

    def test_a_commit_whose_answer_was_lost_is_still_recognised(self) -> None:
        print_to(self.writer, 0, 40)
        for number in range(3):
            self.writer.append(Stream.OUT, b"x%d\n" % number, NOON + 3600 * number)
        with answer_lost():
            self.writer.flush()
        merge(self.log.pk)
        whole = self.bytes()
        self.writer._retry_at = 0.0
        self.writer.flush()
        self.assertFalse(self.writer.is_failing)
        self.assertEqual(self.bytes(), whole)
        self.assertEqual(whole.count(b"x1\n"), 1)

    def test_lines_too_far_apart_for_one_index_stay_apart(self) -> None:
        every = MAX_TIME_SPAN / 1_000_000 / 10.5  # eleven fit
        print_to(self.writer, 0, 33 + UNTOUCHED, every)
        before = seen(self.log)
        merge(self.log.pk)
        self.assertEqual(self.log.chunks.count(), 3 + UNTOUCHED)
        self.assertEqual(seen(self.log), before)

    def test_large_chunks_and_few_ones_stay_as_they_are(self) -> None:
        for number in range(FEWEST - 1):
            self.writer.append(Stream.OUT, b"small\n", NOON + number)
            self.writer.flush()
        for number in range(20):
            self.writer.append(Stream.OUT, b"x" * merging.SMALL, NOON + number)
            self.writer.flush()
        self.assertEqual(merge(self.log.pk), 0)

    def test_it_goes_through_all_logs_and_begins_again(self) -> None:
        others = [LogWriter(new_log(), limit=MIB) for _ in range(3)]
        writers = [self.writer, *others]
        for writer in writers:
            print_to(writer, 0, FEWEST + UNTOUCHED)
        merger = Merger()
        with mock.patch.object(merging, "LOGS_AT_ONCE", 2):
            self.assertEqual(merger.work(0), FEWEST - 1)
            self.assertEqual(merger.work(30), 3 * (FEWEST - 1))
            for writer in writers:
                print_to(writer, 40, 2 * FEWEST)
            self.assertGreater(merger.work(30), 4 * FEWEST)
        self.assertEqual(merger.work(30), 0)

    def test_writer_readers_and_two_of_them_at_once(self) -> None:
        done = threading.Event()
        errors: list[BaseException] = []

        def keep(action: str) -> None:
            try:
                while not done.is_set():
                    if action == "merge":
                        merge(self.log.pk)
                    else:
                        found = self.bytes()
                        assert expected.startswith(found), found[-100:]
            except BaseException as error:
                errors.append(error)
            finally:
                connections.close_all()

        texts = [f"{number} line\n".encode() for number in range(200)]
        expected = b"".join(texts)
        threads = [threading.Thread(target=keep, args=[how]) for how in ("merge", "merge", "read")]
        for thread in threads:
            thread.start()
        try:
            for number, text in enumerate(texts):
                self.writer.append(Stream.OUT, text, NOON + number)
                self.writer.flush()
        finally:
            done.set()
            for thread in threads:
                thread.join()
        self.writer.complete()
        self.assertEqual(errors, [])
        merge(self.log.pk)
        self.assertEqual(self.bytes(), expected)
        self.assertLess(self.log.chunks.count(), 200 // FEWEST + UNTOUCHED)
