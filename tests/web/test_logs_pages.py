"""Reading logs by pages: numbers, cut lines, characters at the edges."""

from __future__ import annotations

from datetime import UTC, datetime

from django.test import TestCase

from tests.support.logs import new_log
from webjobs import logs
from webjobs.logs import LogWriter, Page
from webjobs.models import Log
from webjobs.states import Stream

OUT, ERR = Stream.OUT, Stream.ERR
NOON = 1_700_000_000.0


def shown(page: Page) -> list[tuple[int, str, bool]]:
    return [(line.number, line.text, line.is_partial) for line in page.lines]


class PageTests(TestCase):
    def setUp(self) -> None:
        self.log = new_log()
        self.writer = LogWriter(self.log, limit=10**9)

    def write(self, *parts: bytes, stream: Stream = OUT) -> None:
        for part in parts:
            self.writer.append(stream, part, NOON)
            self.writer.flush()

    def test_an_empty_log_is_an_empty_page(self) -> None:
        for page in (
            logs.read_after(self.log, 0),
            logs.read_lines(self.log, 1, 10),
            logs.tail(self.log, 10),
        ):
            self.assertEqual(shown(page), [])
            self.assertEqual((page.start, page.end, page.size, page.first_line), (0, 0, 0, 1))

    def test_a_deleted_log_is_said_to_be_gone(self) -> None:
        Log.objects.all().delete()
        with self.assertRaises(Log.DoesNotExist):
            logs.read_after(self.log, 0)

    def test_a_line_has_number_offset_time_and_stream(self) -> None:
        self.writer.append(OUT, b"one\n", NOON)
        self.writer.append(ERR, b"two\r\n", NOON + 1.5)
        self.writer.flush()
        line = logs.read_lines(self.log, 2, 1).lines[0]
        self.assertEqual((line.number, line.offset, line.stream, line.text), (2, 4, ERR, "two"))
        self.assertEqual(line.at, datetime(2023, 11, 14, 22, 13, 21, 500_000, UTC))

    def test_following_continues_a_line_under_its_number(self) -> None:
        self.write(b"a\nworking")
        first = logs.read_after(self.log, 0)
        self.assertEqual(shown(first), [(1, "a", False), (2, "working", True)])
        self.assertEqual(shown(logs.read_after(self.log, first.end)), [])
        self.write(b"... done\nb\n")
        second = logs.read_after(self.log, first.end)
        self.assertEqual(shown(second), [(2, "... done", False), (3, "b", False)])
        self.assertTrue(second.lines[0].is_rest)
        self.assertEqual(second.first_line, 2)

    def test_the_last_line_of_a_complete_log_is_whole(self) -> None:
        self.write(b"a\nb")
        self.writer.complete()
        page = logs.read_after(self.log, 0)
        self.assertEqual(shown(page), [(1, "a", False), (2, "b", False)])
        self.assertTrue(page.is_complete)

    def test_a_line_ended_by_another_stream_is_whole(self) -> None:
        self.write(b"a" * 16)
        self.write(b"b", stream=ERR)
        self.assertEqual(shown(logs.read_after(self.log, 0, 16)), [(1, "a" * 16, False)])
        self.assertEqual(shown(logs.read_lines(self.log, 1, 1)), [(1, "a" * 16, False)])

    def test_a_page_never_ends_inside_a_character(self) -> None:
        self.write(b"a" * 14 + "€b\n".encode())
        first = logs.read_after(self.log, 0, 16)
        self.assertEqual((shown(first), first.end), ([(1, "a" * 14, True)], 14))
        self.assertEqual(shown(logs.read_after(self.log, first.end)), [(1, "€b", False)])

    def test_a_page_never_ends_inside_a_line_end(self) -> None:
        self.write(b"a" * 15 + b"\r\nb\n")
        first = logs.read_after(self.log, 0, 16)
        self.assertEqual((shown(first), first.end), ([(1, "a" * 15, True)], 15))
        rest = logs.read_after(self.log, first.end)
        self.assertEqual(shown(rest), [(1, "", False), (2, "b", False)])

    def test_half_a_character_at_the_end_shows_once_nothing_can_follow(self) -> None:
        self.write(b"a\xe2\x82")
        self.assertEqual(shown(logs.read_after(self.log, 0)), [(1, "a", True)])
        self.writer.complete()
        self.assertEqual(shown(logs.read_after(self.log, 1)), [(1, "\ufffd", False)])

    def test_a_page_may_begin_inside_a_character(self) -> None:
        self.write("€b\n".encode())
        self.assertEqual(shown(logs.read_after(self.log, 1)), [(1, "\ufffd\ufffdb", False)])

    def test_bad_bytes_are_replaced(self) -> None:
        self.write(b"a\xffb\n")
        self.assertEqual(shown(logs.read_after(self.log, 0)), [(1, "a\ufffdb", False)])

    def test_an_offset_beyond_the_end_is_the_end(self) -> None:
        self.write(b"a\n")
        page = logs.read_after(self.log, 99)
        self.assertEqual((page.start, page.end, shown(page), page.first_line), (2, 2, [], 2))

    def test_lines_beyond_the_last_are_none(self) -> None:
        self.write(b"a\n")
        page = logs.read_lines(self.log, 2, 10)
        self.assertEqual((page.start, page.end, shown(page)), (2, 2, []))

    def test_lines_before_an_offset_are_the_nearest_ones(self) -> None:
        self.write(*(b"%d\n" % number for number in range(10)))
        page = logs.read_before(self.log, 10, 3)
        self.assertEqual([line.text for line in page.lines], ["2", "3", "4"])
        self.assertEqual((page.start, page.end, page.first_line), (4, 10, 3))

    def test_before_the_middle_of_a_line_is_its_beginning(self) -> None:
        self.write(b"a\nbcd\n")
        self.assertEqual(shown(logs.read_before(self.log, 4, 1)), [(2, "bc", True)])

    def test_a_small_page_from_the_end_begins_with_a_whole_line(self) -> None:
        self.write(b"a" * 30 + b"\n", b"b\n", b"c\n")
        page = logs.read_before(self.log, 35, 3, max_bytes=16)
        self.assertEqual(shown(page), [(2, "b", False), (3, "c", False)])

    def test_the_end_of_a_long_line_begins_with_a_whole_character(self) -> None:
        self.write("€".encode() * 10)
        (line,) = logs.tail(self.log, 1, max_bytes=16).lines
        self.assertEqual((line.text, line.is_rest, line.offset), ("€" * 5, True, 15))


class HugeLineTests(TestCase):
    """A line of 20 MiB between two short ones."""

    log: Log

    @classmethod
    def setUpTestData(cls) -> None:
        cls.log = new_log()
        writer = LogWriter(cls.log, limit=10**9)
        writer.append(OUT, b"first\n" + b"x" * (20 * 1024 * 1024) + b"\nlast\n", NOON)
        writer.complete()

    def test_no_page_is_larger_than_asked(self) -> None:
        for page in (
            logs.read_after(self.log, 5_000_000, 100_000),
            logs.read_lines(self.log, 2, 100, 100_000),
            logs.read_before(self.log, 10_000_000, 100, 100_000),
        ):
            (line,) = page.lines
            self.assertEqual((line.number, line.is_partial), (2, True))
            self.assertEqual(len(line.text), 100_000)

    def test_lines_on_both_sides_are_reached(self) -> None:
        self.assertEqual(logs.tail(self.log, 1).lines[0].text, "last")
        self.assertEqual(logs.read_lines(self.log, 1, 1).lines[0].text, "first")
        self.assertEqual(logs.read_lines(self.log, 3, 9).lines[0].text, "last")
        page = logs.tail(self.log, 5)
        self.assertEqual([line.number for line in page.lines], [3])
