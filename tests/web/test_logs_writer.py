"""Writing logs: when to flush, limits, rolling, and other writers of the same log."""

from __future__ import annotations

import time

from django.test import TestCase

from tests.support.logs import INSTANCE_KEY, new_log, new_run
from webjobs import logs
from webjobs.logs import LogWriter, flush_many
from webjobs.models import Log, Run
from webjobs.states import Stream

OUT, ERR = Stream.OUT, Stream.ERR
NOON = 1_700_000_000.0
KIB = 1024
MIB = 1024 * KIB


def everything(log: Log, stream: Stream | None = None) -> bytes:
    return b"".join(logs.raw(log, stream))


def texts(log: Log) -> list[str]:
    return [line.text for line in logs.read_lines(log, 1, 1000).lines]


class LogWriterTests(TestCase):
    def setUp(self) -> None:
        self.log = new_log()
        self.writer = LogWriter(self.log, limit=MIB)

    def test_nothing_is_due_before_anything_was_written(self) -> None:
        self.assertIsNone(self.writer.flush_due())

    def test_a_line_is_due_within_a_tenth_of_a_second(self) -> None:
        before = time.monotonic()
        self.writer.append(OUT, b"a\n", NOON)
        due = self.writer.flush_due()
        assert due is not None
        self.assertTrue(before < due <= time.monotonic() + 0.1)
        self.writer.append(OUT, b"b\n", NOON)
        self.assertEqual(self.writer.flush_due(), due)

    def test_a_whole_chunk_is_due_at_once(self) -> None:
        self.writer.append(OUT, bytes(256 * KIB), NOON)
        due = self.writer.flush_due()
        assert due is not None
        self.assertLessEqual(due, time.monotonic())

    def test_nothing_is_in_the_log_before_the_flush(self) -> None:
        self.writer.append(OUT, b"a\n", NOON)
        self.assertEqual(everything(self.log), b"")
        self.writer.flush()
        self.assertEqual(everything(self.log), b"a\n")
        self.assertIsNone(self.writer.flush_due())

    def test_one_flush_takes_two_statements_in_one_transaction(self) -> None:
        self.writer.append(OUT, b"a\n", NOON)
        self.writer.system(Stream.SYSTEM, "b")
        with self.assertNumQueries(4):  # savepoint, update, insert, release
            self.writer.flush()

    def test_flushing_nothing_asks_nothing(self) -> None:
        with self.assertNumQueries(0):
            self.writer.flush()

    def test_the_row_knows_size_and_lines(self) -> None:
        self.writer.append(OUT, b"a\nb", NOON)
        self.writer.flush()
        self.writer.append(OUT, b"c\n", NOON)
        self.writer.flush()
        self.log.refresh_from_db()
        self.assertEqual((self.log.size, self.log.lines, self.log.is_complete), (5, 2, False))

    def test_a_system_line_begins_a_new_line_and_adds_no_byte(self) -> None:
        self.writer.append(OUT, b"working... ", NOON)
        self.writer.system(Stream.SYSTEM_WARN, "Stop requested")
        self.writer.append(OUT, b"done\n", NOON)
        self.writer.complete()
        self.assertEqual(texts(self.log), ["working... ", "Stop requested", "done"])
        self.assertEqual(everything(self.log), b"working... Stop requested\ndone\n")

    def test_a_system_line_can_hold_any_text(self) -> None:
        self.writer.system(Stream.SYSTEM, "bad file name: a\udcff")
        self.writer.complete()
        self.assertEqual(texts(self.log), ["bad file name: a?"])

    def test_half_a_character_is_kept_at_the_end(self) -> None:
        self.writer.append(OUT, b"a\xe2\x82", NOON)
        self.writer.complete()
        self.assertEqual(everything(self.log), b"a\xe2\x82")

    def test_another_writer_goes_on_where_the_first_one_ended(self) -> None:
        self.writer.append(OUT, b"a\nb", NOON)
        self.writer.flush()
        self.log.refresh_from_db()
        second = LogWriter(self.log, limit=MIB)
        second.append(OUT, b"c\n", NOON)
        second.complete()
        self.assertEqual(texts(self.log), ["a", "bc"])

    def test_two_writers_at_once_lose_nothing(self) -> None:
        second = LogWriter(self.log, limit=MIB)
        for writer, data in ((self.writer, b"a\nb"), (second, b"c\nd"), (self.writer, b"e\n")):
            writer.append(OUT, data, NOON)
            writer.flush()
        self.assertEqual(everything(self.log), b"a\nbc\nde\n")
        self.assertEqual(texts(self.log), ["a", "bc", "de"])

    def test_a_complete_log_never_changes(self) -> None:
        second = LogWriter(self.log, limit=MIB)
        second.append(OUT, b"late\n", NOON)
        self.writer.append(OUT, b"a\n", NOON)
        self.writer.complete()
        second.flush()
        second.append(OUT, b"later\n", NOON)
        second.complete()
        self.assertEqual(everything(self.log), b"a\n")
        self.assertIsNone(second.flush_due())

    def test_an_empty_log_that_is_complete_stays_empty(self) -> None:
        second = LogWriter(self.log, limit=MIB)
        self.writer.complete()
        second.append(OUT, b"late\n", NOON)
        second.flush()
        self.assertEqual(everything(self.log), b"")

    def test_a_deleted_log_takes_what_comes_and_says_nothing(self) -> None:
        Log.objects.all().delete()
        self.writer.append(OUT, b"a\n", NOON)
        self.writer.flush()
        self.writer.complete()
        self.assertFalse(self.writer.is_failing)
        self.assertFalse(Log.objects.exists())

    def test_completing_can_carry_another_change_with_it(self) -> None:
        self.writer.append(OUT, b"a\n", NOON)
        self.writer.complete(also=lambda: Run.objects.update(reason="It exited with code 0."))
        self.log.refresh_from_db()
        self.assertTrue(self.log.is_complete)
        self.assertEqual(Run.objects.get().reason, "It exited with code 0.")

    def test_a_failed_other_change_leaves_the_log_open(self) -> None:
        def refuse() -> None:
            raise ValueError

        self.writer.append(OUT, b"a\n", NOON)
        with self.assertRaises(ValueError):
            self.writer.complete(also=refuse)
        self.assertEqual(everything(self.log), b"")
        self.writer.complete()
        self.assertEqual(everything(self.log), b"a\n")

    def test_more_than_one_batch_is_stored_in_order(self) -> None:
        writer = LogWriter(self.log, limit=100 * MIB)
        data = b"".join(b"%07d\n" % number for number in range(700_000))
        writer.append(OUT, data, NOON)
        writer.complete()
        self.assertEqual(everything(self.log), data)
        self.assertLessEqual(max(self.log.chunks.values_list("size", flat=True)), 256 * KIB)


class FlushManyTests(TestCase):
    def test_many_writers_share_one_transaction(self) -> None:
        writers = [LogWriter(new_log(), limit=MIB) for _ in range(20)]
        for number, writer in enumerate(writers):
            writer.append(OUT, b"%d\n" % number, NOON)
        with self.assertNumQueries(2 + 20 + 1):  # savepoint, an update each, one insert
            flush_many(writers)
        found = [everything(writer.log) for writer in writers]
        self.assertEqual(found, [b"%d\n" % number for number in range(20)])

    def test_writers_with_nothing_to_say_cost_nothing(self) -> None:
        writers = [LogWriter(new_log(), limit=MIB) for _ in range(3)]
        with self.assertNumQueries(0):
            flush_many(writers)


class LimitTests(TestCase):
    def setUp(self) -> None:
        self.log = new_log()

    def write(self, *parts: bytes) -> None:
        writer = LogWriter(self.log, limit=10)
        for part in parts:
            writer.append(OUT, part, NOON)
            writer.flush()
        writer.complete()
        self.log.refresh_from_db()

    def test_output_up_to_the_limit_is_kept_in_silence(self) -> None:
        self.write(b"12345", b"6789\n")
        self.assertEqual(everything(self.log), b"123456789\n")
        self.assertEqual(self.log.dropped, 0)

    def test_output_beyond_it_is_dropped_and_said_once(self) -> None:
        self.write(b"12345", b"67890ab", b"cd", b"e\n")
        self.assertEqual(everything(self.log, OUT), b"1234567890")
        self.assertEqual(self.log.dropped, 6)
        first, *warnings = texts(self.log)
        self.assertEqual(first, "1234567890")
        self.assertEqual(len(warnings), 2)
        self.assertIn("is not kept", warnings[0])
        self.assertIn("RUN_LOG_LIMIT_MB", warnings[0])
        self.assertEqual(warnings[1], "6 bytes of output in all were not kept.")

    def test_system_lines_are_kept_beyond_the_limit(self) -> None:
        writer = LogWriter(self.log, limit=4)
        writer.append(OUT, b"12345", NOON)
        writer.system(Stream.SYSTEM_ERR, "Job failed due to exit code 1")
        writer.complete()
        self.assertIn("Job failed due to exit code 1", texts(self.log))

    def test_what_another_writer_has_written_counts_too(self) -> None:
        first, second = (LogWriter(self.log, limit=10) for _ in range(2))
        second.append(OUT, b"12345678", NOON)
        second.flush()
        first.append(OUT, b"9", NOON)
        first.flush()
        first.append(OUT, b"0a", NOON)
        first.complete()
        self.assertEqual(everything(self.log, OUT), b"1234567890")

    def test_a_second_writer_does_not_say_it_again(self) -> None:
        first = LogWriter(self.log, limit=4)
        first.append(OUT, b"12345", NOON)
        first.append(OUT, b"6", NOON)
        first.system(Stream.SYSTEM, "moved")
        first.flush()
        self.log.refresh_from_db()
        second = LogWriter(self.log, limit=4)
        second.append(OUT, b"789", NOON)
        second.complete()
        self.assertEqual(len([text for text in texts(self.log) if "is not kept" in text]), 1)
        self.assertEqual(texts(self.log)[-1], "5 bytes of output in all were not kept.")


class RollingTests(TestCase):
    def setUp(self) -> None:
        self.log = new_log()
        self.writer = LogWriter(self.log, limit=100, rolling=True)
        for number in range(1, 101):
            self.writer.append(OUT, b"line %04d\n" % number, NOON)
            self.writer.flush()

    def test_it_keeps_the_newest_bytes_up_to_the_limit(self) -> None:
        expected = b"".join(b"line %04d\n" % number for number in range(91, 101))
        self.assertEqual(everything(self.log), expected)
        self.assertEqual(self.log.chunks.count(), 10)

    def test_offsets_and_numbers_go_on_counting(self) -> None:
        page = logs.read_lines(self.log, 95, 2)
        self.assertEqual([line.number for line in page.lines], [95, 96])
        self.assertEqual([line.text for line in page.lines], ["line 0095", "line 0096"])
        self.assertEqual((page.start, page.size, page.line_count), (940, 1000, 100))

    def test_reading_from_before_starts_at_what_is_kept(self) -> None:
        for page in (logs.read_after(self.log, 0), logs.read_lines(self.log, 1, 1000)):
            self.assertEqual((page.start, page.first_kept, page.first_line), (900, 900, 91))
            self.assertEqual(len(page.lines), 10)
        page = logs.read_lines(self.log, 1, 3)
        self.assertEqual([line.number for line in page.lines], [91, 92, 93])
        self.assertEqual(logs.read_before(self.log, 10, 5).lines, [])

    def test_a_line_whose_beginning_is_gone_is_a_rest(self) -> None:
        self.writer.append(OUT, b"x" * 90, NOON)
        self.writer.flush()
        self.writer.append(OUT, b"y" * 90 + b"\n", NOON)
        self.writer.flush()
        (line,) = logs.read_lines(self.log, 1, 10).lines
        self.assertEqual((line.number, line.is_rest, line.text), (101, True, "y" * 90))

    def test_the_newest_chunk_always_stays(self) -> None:
        self.writer.append(OUT, b"z" * 500, NOON)
        self.writer.flush()
        self.assertEqual(everything(self.log), b"z" * 500)

    def test_nothing_is_dropped_or_announced(self) -> None:
        self.log.refresh_from_db()
        self.assertEqual(self.log.dropped, 0)

    def test_a_new_writer_goes_on(self) -> None:
        self.log.refresh_from_db()
        writer = LogWriter(self.log, limit=100, rolling=True)
        writer.append(OUT, b"line 0101\n", NOON)
        writer.flush()
        self.assertEqual(logs.tail(self.log, 1).lines[0].number, 101)
        self.assertEqual(self.log.chunks.count(), 10)


class OwnerTests(TestCase):
    def test_a_run_has_one_log(self) -> None:
        run = new_run()
        log = logs.log_of_run(run, INSTANCE_KEY)
        self.assertEqual(logs.log_of_run(run, "another").pk, log.pk)
        self.assertEqual(log.instance_key, INSTANCE_KEY)
