"""Searching logs: what is found, where, and in steps."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from unittest.mock import patch

from django.test import SimpleTestCase, TestCase
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from tests.support.logs import new_log
from webjobs import logs
from webjobs.logs import LogWriter, blocks
from webjobs.logs.groups import without_mark
from webjobs.logs.query import BadQuery, Finder, finder
from webjobs.logs.search import Found, Match, search, search_back
from webjobs.logs.terminal import segments
from webjobs.models import Log
from webjobs.states import Stream

OUT, ERR = Stream.OUT, Stream.ERR
NOON = 1_700_000_000.0


def written(*parts: tuple[Stream, bytes], is_complete: bool = True) -> Log:
    """A log whose parts are chunks of their own."""
    log = new_log()
    writer = LogWriter(log, limit=10**9)
    for stream, data in parts:
        writer.append(stream, data, NOON)
        writer.flush()
    if is_complete:
        writer.complete()
    return log


def forward(log: Log, sought: Finder, limit: int = 1000) -> Found:
    """All steps together, each as short as it can be."""
    matches: list[Match] = []
    count, position = 0, None
    while True:
        found = search(log, sought, position=position, limit=limit, seconds=0)
        matches += found.matches
        count += found.count
        position = found.position
        if found.is_done:
            return Found(matches, count, found.position, found.line, is_done=True)


def backward(log: Log, sought: Finder) -> list[Match]:
    matches: list[Match] = []
    position = None
    while True:
        found = search_back(log, sought, position=position, seconds=0)
        matches = found.matches + matches
        position = found.position
        if found.is_done:
            return matches


def numbers(found: Found) -> list[int]:
    return [match.line for match in found.matches]


class FindTests(TestCase):
    def test_plain_text_is_found_without_regard_to_case(self) -> None:
        log = written((OUT, b"An Error\nfine\nERRORS\n"))
        found = search(log, finder("error"))
        self.assertEqual(found.matches, [Match(1, 0, [(3, 8)]), Match(3, 14, [(0, 5)])])
        self.assertEqual((found.count, found.is_done, found.line), (2, True, 4))

    def test_case_can_be_told_apart(self) -> None:
        log = written((OUT, b"Error\nerror\n"))
        self.assertEqual(numbers(search(log, finder("error", match_case=True))), [2])
        sought = finder("^e", is_regex=True, match_case=True)
        self.assertEqual(numbers(search(log, sought)), [2])

    def test_other_alphabets_have_cases_too(self) -> None:
        log = written((OUT, "ÉTÉ\nété\nete\n".encode()))
        self.assertEqual(numbers(search(log, finder("été"))), [1, 2])

    def test_expressions_know_where_lines_begin_and_end(self) -> None:
        log = written((OUT, b"ab\r\nb\r\nba\n\nb"))
        self.assertEqual(numbers(search(log, finder("^b", is_regex=True))), [2, 3, 5])
        self.assertEqual(numbers(search(log, finder("b$", is_regex=True))), [1, 2, 5])
        self.assertEqual(numbers(search(log, finder("^$", is_regex=True))), [4])

    def test_an_expression_never_goes_over_a_line_end(self) -> None:
        log = written((OUT, b"a\nb\n"))
        for pattern in (r"a\sb", "a[^x]b", "(?s)a.b", r"a\nb"):
            self.assertEqual(search(log, finder(pattern, is_regex=True)).count, 0, pattern)

    def test_signs_of_expressions_are_plain_in_plain_text(self) -> None:
        log = written((OUT, b"a.c\nabc\n"))
        self.assertEqual(numbers(search(log, finder("a.c"))), [1])
        self.assertEqual(numbers(search(log, finder("a.c", is_regex=True))), [1, 2])

    def test_text_torn_between_chunks_is_found(self) -> None:
        log = written((OUT, b"x\nnee"), (OUT, b"dle\xe2\x82"), (OUT, b"\xac\ny\n"))
        self.assertEqual(search(log, finder("needle€")).matches, [Match(2, 2, [(0, 7)])])

    def test_streams_do_not_run_into_each_other(self) -> None:
        log = written((OUT, b"nee"), (ERR, b"dle\n"), (OUT, b"needle\n"))
        self.assertEqual(numbers(search(log, finder("needle"))), [3])

    def test_positions_are_those_of_scripts(self) -> None:
        log = written((OUT, "😀é needle 😀 needle\n".encode()))
        (match,) = search(log, finder("needle")).matches
        self.assertEqual(match.spans, [(4, 10), (14, 20)])

    def test_bad_bytes_do_not_hide_what_stands_beside(self) -> None:
        log = written((OUT, b"\xff\xfeneedle\n"))
        self.assertEqual(search(log, finder("needle")).matches, [Match(1, 0, [(2, 8)])])

    def test_a_line_that_matches_nothing_visible_counts(self) -> None:
        log = written((OUT, b"aaa\n\nb\n"))
        found = search(log, finder("x*", is_regex=True))
        self.assertEqual([match.spans for match in found.matches], [[], [], []])

    def test_an_empty_log_has_nothing(self) -> None:
        found = search(new_log(), finder("a"))
        self.assertEqual((found.matches, found.is_done, found.line), ([], True, 1))
        self.assertEqual(search_back(new_log(), finder("a")).matches, [])

    def test_a_deleted_log_is_said_to_be_gone(self) -> None:
        log = written((OUT, b"a\n"))
        Log.objects.all().delete()
        with self.assertRaises(Log.DoesNotExist):
            search(log, finder("a"))


class StepTests(TestCase):
    def test_a_range_of_lines_is_searched(self) -> None:
        log = written((OUT, b"a\n" * 10))
        self.assertEqual(numbers(search(log, finder("a"), line=4, until=7)), [4, 5, 6])
        self.assertEqual(numbers(search_back(log, finder("a"), before=4)), [1, 2, 3])
        self.assertEqual(numbers(search(log, finder("a"), line=9, until=99)), [9, 10])

    def test_behind_the_limit_it_counts_on(self) -> None:
        log = written((OUT, b"a\n" * 10))
        found = search(log, finder("a"), limit=3)
        self.assertEqual((numbers(found), found.count, found.is_done), ([1, 2, 3], 10, True))

    def test_it_can_stop_at_the_limit(self) -> None:
        log = written((OUT, b"a\nb\n" * 10))
        found = search(log, finder("a"), limit=3, count_on=False)
        self.assertEqual((numbers(found), found.is_done, found.line), ([1, 3, 5], False, 6))
        found = search(log, finder("a"), line=found.line, limit=2, count_on=False)
        self.assertEqual(numbers(found), [7, 9])

    def test_back_it_finds_the_nearest_ones(self) -> None:
        log = written((OUT, b"a\nb\n" * 10))
        found = search_back(log, finder("a"), limit=2)
        self.assertEqual((numbers(found), found.is_done, found.line), ([17, 19], False, 17))
        found = search_back(log, finder("a"), before=found.line, limit=2)
        self.assertEqual(numbers(found), [13, 15])

    def test_without_time_it_still_gets_on(self) -> None:
        data = b"".join(b"%07d needle\n" % number for number in range(1, 100_001))
        log = written((OUT, data))
        first = search(log, finder("needle", match_case=True), seconds=0)
        self.assertFalse(first.is_done)
        self.assertLess(first.count, 20_000)
        self.assertEqual(first.line, first.count + 1)
        self.assertEqual(forward(log, finder("099999 needle")).count, 1)
        self.assertEqual(forward(log, finder("needle", is_regex=True)).count, 100_000)
        self.assertEqual(
            [match.line for match in backward(log, finder("99 needle"))][:2], [99, 199]
        )

    def test_a_line_without_end_is_searched_and_looked_at_again(self) -> None:
        log = written((OUT, b"a\nab"), is_complete=False)
        found = search(log, finder("b"))
        self.assertEqual((numbers(found), found.line, found.is_done), ([2], 2, True))
        LogWriter(log, limit=10**9).append(OUT, b"", NOON)
        writer = LogWriter(log, limit=10**9)
        writer.append(OUT, b"b\nb\n", NOON)
        writer.flush()
        again = search(log, finder("b"), line=found.line)
        self.assertEqual((again.matches[0].spans, numbers(again)), ([(1, 2), (2, 3)], [2, 3]))

    def test_what_has_rolled_away_is_left_out(self) -> None:
        log = new_log()
        writer = LogWriter(log, limit=600_000, rolling=True)
        for number in range(20):
            writer.append(OUT, b"".join(b"%03d.%05d\n" % (number, i) for i in range(10_000)), NOON)
            writer.flush()
        found = search(log, finder(".00001"))
        self.assertLess(found.count, 20)
        for match in found.matches:
            line = logs.read_lines(log, match.line, 1).lines[0]
            self.assertEqual((line.text[3:], line.offset), (".00001", match.offset))
        self.assertEqual(found.matches, search_back(log, finder(".00001")).matches)


class LongLineTests(TestCase):
    """A line of 3 MB between two short ones."""

    log: Log

    @classmethod
    def setUpTestData(cls) -> None:
        middle = "é".encode() * 700_000 + b"needle" + b"x" * 1_600_000
        cls.log = written((OUT, b"first\n" + middle + b"END\r\nlast needle\n"))

    def test_a_match_deep_inside_is_shown_where_it_is(self) -> None:
        for sought in (finder("needle"), finder("n[e]+dle", is_regex=True)):
            for matches in (forward(self.log, sought).matches, backward(self.log, sought)):
                self.assertEqual([match.line for match in matches], [2, 3])
                page = logs.read_after(self.log, matches[0].offset)
                ((start, stop),) = matches[0].spans
                self.assertEqual(page.lines[0].text[start:stop], "needle")

    def test_its_ends_are_those_of_the_line(self) -> None:
        for pattern, expected in (
            ("^é", [2]),
            ("END$", [2]),
            ("^x", []),
            ("x$", []),
            ("^.", [1, 2, 3]),
        ):
            sought = finder(pattern, is_regex=True)
            self.assertEqual(numbers(forward(self.log, sought)), expected, pattern)
            found = [match.line for match in backward(self.log, sought)]
            self.assertEqual(found, expected, pattern)

    def test_it_is_searched_in_short_steps(self) -> None:
        found = search(self.log, finder("absent"), line=2, seconds=0)
        self.assertEqual((found.line, found.is_done), (2, False))
        self.assertLess(found.position, 1_000_000)


@dataclass
class Small:
    """A finder that must do with small windows."""

    inner: Finder
    window: int
    overlap: int

    def prepare(self, text: bytes) -> bytes:
        return self.inner.prepare(text)

    def find(self, text: bytes, start: int, stop: int) -> tuple[int, int] | None:
        return self.inner.find(text, start, stop)


PARTS = st.lists(
    st.tuples(
        st.sampled_from([OUT, ERR]),
        st.text("abAé€😀\r\n", min_size=1, max_size=12).map(str.encode)
        | st.binary(min_size=1, max_size=4),
    ),
    max_size=12,
)
PLAIN = st.text("abAé€", min_size=1, max_size=3)
PATTERNS = st.sampled_from(
    ["a", "ab|ba", "^a", "b$", "a.b", "^$", "[^a]b", "a{2,3}", "(ab)+", "é.*a", "a+é", "^[ab]*$"]
)


def text_lines(log: Log) -> list[str]:
    texts: dict[int, str] = {}
    for line in logs.read_after(log, 0).lines:
        texts[line.number] = texts.get(line.number, "") + line.text
    return [texts[number] for number in sorted(texts)]


def model(log: Log, pattern: re.Pattern[str]) -> list[tuple[int, list[tuple[int, int]]]]:
    """Line by line, with Python's own expressions."""
    found = []
    for number, text in enumerate(text_lines(log), 1):
        text = "".join(part for part, _ in segments(without_mark(text)))
        if pattern.search(text):
            spans = [match.span() for match in pattern.finditer(text)]
            units = [(_units(text[:a]), _units(text[:b])) for a, b in spans if a < b]
            found.append((number, units))
    return found


def tame(parts: list[tuple[Stream, bytes]], size: int) -> list[tuple[Stream, bytes]]:
    """Of a line longer than can be searched at once, the controls act within its parts only."""
    if size == 10**6:
        return parts
    controls = bytes({*range(32), 0x7F, 0xC2} - {0x0A})
    return [(of, data.translate(bytes.maketrans(controls, b"?" * 33))) for of, data in parts]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class ModelTests(HypothesisTestCase):
    @settings(max_examples=50, deadline=None)
    @given(PARTS, PLAIN, st.booleans(), st.booleans(), st.sampled_from([16, 64, 10**6]))
    def test_plain_text_is_found_as_by_reading_every_line(
        self,
        parts: list[tuple[Stream, bytes]],
        text: str,
        match_case: bool,
        is_complete: bool,
        size: int,
    ) -> None:
        log = written(*tame(parts, size), is_complete=is_complete)
        flags = re.NOFLAG if match_case else re.IGNORECASE
        expected = model(log, re.compile(re.escape(text), flags))
        sought = finder(text, match_case=match_case)
        self.check(log, Small(sought, size, len(text.encode())), expected)

    @settings(max_examples=50, deadline=None)
    @given(PARTS, PATTERNS, st.booleans(), st.sampled_from([400, 10**6]))
    def test_expressions_are_found_as_by_reading_every_line(
        self, parts: list[tuple[Stream, bytes]], text: str, match_case: bool, size: int
    ) -> None:
        log = written(*tame(parts, size))
        expected = model(log, re.compile(text, re.NOFLAG if match_case else re.IGNORECASE))
        sought = finder(text, is_regex=True, match_case=match_case)
        self.check(log, Small(sought, size, size // 4), expected)

    def check(
        self,
        log: Log,
        sought: Finder,
        expected: list[tuple[int, list[tuple[int, int]]]],
    ) -> None:
        with patch.object(blocks, "BLOCK", 2 * sought.window):
            found = forward(log, sought)
            back = backward(log, sought)
        self.assertEqual(numbers(found), [number for number, _ in expected])
        self.assertEqual(found.count, len(expected))
        self.assertEqual([match.line for match in back], numbers(found))
        if sought.window >= 400:
            self.assertEqual([(match.line, match.spans) for match in found.matches], expected)
            for match in found.matches:
                line = logs.read_lines(log, match.line, 1).lines[0]
                self.assertEqual(line.offset, match.offset)


class QueryTests(SimpleTestCase):
    def test_what_cannot_be_searched_for_is_refused_in_words(self) -> None:
        for text, words in (
            ("(a", "missing )"),
            ("a**", "bad repetition"),
            (r"(a)\1", "back-references are not supported"),
            ("(?=a)", "Look-around"),
            (r"\Aa", "Use ^ for the beginning"),
            (r"a\z", "$ for its end"),
            ("(?i-m)a", "every line is searched by itself"),
            (r"\pL{500}", "too large"),
            ("a{1001}", "repetition size"),
            ("", "Enter what"),
            ("a" * 1001, "at most 1000"),
        ):
            with self.assertRaises(BadQuery) as caught:
                finder(text, is_regex=True)
            self.assertIn(words, str(caught.exception), text)

    def test_escaped_signs_are_not_taken_for_others(self) -> None:
        self.assertEqual(finder(r"\\A", is_regex=True).find(b"x\\A", 0, 3), (1, 3))
        self.assertEqual(finder(r"\(\?-m", is_regex=True).find(b"(?-m", 0, 4), (0, 4))


class HostileExpressionTests(TestCase):
    """None may hold a thread; the slowest known kinds, on what makes them slow."""

    def test_no_expression_takes_long(self) -> None:
        noise = bytes(b"ab"[(index * index >> 7) % 2] for index in range(400_000))
        log = written((OUT, b"a" * 400_000 + b"!\n" + noise + b"\n"))
        for pattern in (
            "(a+)+$",
            "(a|aa)+$",
            "(.*)(.*)(.*)(.*)x$",
            "[ab]*a[ab]{200}c",
            "(a?){300}a{300}c",
        ):
            sought = finder(pattern, is_regex=True)
            begun = time.thread_time()
            found = search(log, sought, seconds=0.2)
            self.assertLess(time.thread_time() - begun, 1, pattern)
            self.assertTrue(found.is_done or found.position > 0)
