"""Azure's text of a log, and its raw bytes."""

from __future__ import annotations

from django.test import TestCase
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from tests.support.logs import new_log
from webjobs import logs
from webjobs.logs import LogWriter
from webjobs.models import Log
from webjobs.states import Stream

OUT, ERR = Stream.OUT, Stream.ERR
# 05/19/2016 21:49:38 UTC
THEN = 1_463_694_578.0
PREFIX = "[05/19/2016 21:49:38 > 327e1e: "


def write(*parts: tuple[Stream, bytes]) -> Log:
    """A complete log whose parts came at the same time, each in a chunk of its own."""
    log = new_log()
    writer = LogWriter(log, limit=10**9)
    for stream, data in parts:
        writer.append(stream, data, THEN)
        writer.flush()
    writer.complete()
    return log


def azure(log: Log, start: int = 0) -> str:
    return b"".join(logs.azure_text(log, start)).decode()


class AzureTextTests(TestCase):
    def test_it_has_azures_format(self) -> None:
        log = write(
            (Stream.SYSTEM, b"Status changed to Running\n"),
            (OUT, b"hello\n"),
            (ERR, b"something on stderr\n"),
            (Stream.SYSTEM_WARN, b"Slow\n"),
            (Stream.SYSTEM_ERR, b"Job failed due to exit code 1\n"),
        )
        self.assertEqual(
            azure(log),
            f"{PREFIX}SYS INFO] Status changed to Running\r\n"
            f"{PREFIX}INFO] hello\r\n"
            f"{PREFIX}ERR ] something on stderr\r\n"
            f"{PREFIX}SYS WARN] Slow\r\n"
            f"{PREFIX}SYS ERR ] Job failed due to exit code 1\r\n",
        )

    def test_every_kind_of_line_end_ends_a_line(self) -> None:
        log = write((OUT, b"a\nb\r\nc\rd\n\n\r\n\r\re"))
        expected = ["a", "b", "c", "d", "", "", "", "", "e"]
        self.assertEqual(azure(log), "".join(f"{PREFIX}INFO] {text}\r\n" for text in expected))

    def test_line_ends_and_characters_may_be_torn_between_chunks(self) -> None:
        for text in ("a\r\nb\n", "a\rb\n", "€\n😀\n", "a\r\n\r\nb"):
            whole = write((OUT, text.encode()))
            torn = write(*((OUT, bytes([byte])) for byte in text.encode()))
            self.assertEqual(azure(torn), azure(whole), repr(text))

    def test_a_line_end_may_be_torn_by_the_other_stream(self) -> None:
        log = write((OUT, b"a\r"), (ERR, b"e\n"), (OUT, b"\nb\n"))
        self.assertEqual(azure(log), f"{PREFIX}INFO] a\r\n{PREFIX}ERR ] e\r\n{PREFIX}INFO] b\r\n")

    def test_another_stream_ends_the_line(self) -> None:
        log = write((OUT, b"a"), (ERR, b"b"), (OUT, b"c"))
        self.assertEqual(azure(log), f"{PREFIX}INFO] a\r\n{PREFIX}ERR ] b\r\n{PREFIX}INFO] c\r\n")

    def test_a_character_may_lie_across_two_chunks(self) -> None:
        text = "a" + "é" * 200_000
        self.assertEqual(azure(write((OUT, text.encode()))), f"{PREFIX}INFO] {text}\r\n")

    def test_bad_bytes_are_replaced(self) -> None:
        self.assertEqual(azure(write((OUT, b"a\xff\xe2\x82"))), f"{PREFIX}INFO] a\ufffd\ufffd\r\n")

    def test_a_line_has_the_time_of_its_first_byte(self) -> None:
        log = new_log()
        writer = LogWriter(log, limit=100)
        writer.append(OUT, b"a", THEN)
        writer.append(OUT, b"b\nc\n", THEN + 1)
        writer.complete()
        later = PREFIX.replace(":38", ":39")
        self.assertEqual(azure(log), f"{PREFIX}INFO] ab\r\n{later}INFO] c\r\n")

    def test_it_can_begin_at_an_offset(self) -> None:
        self.assertEqual(azure(write((OUT, b"a\nbc\n")), 3), f"{PREFIX}INFO] c\r\n")

    def test_an_empty_log_is_an_empty_text(self) -> None:
        self.assertEqual(azure(new_log()), "")


class AzureTextModelTests(HypothesisTestCase):
    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.text("ab\r\né€", min_size=1, max_size=5), max_size=10), st.data())
    def test_however_it_is_torn_the_text_is_the_same(
        self, texts: list[str], data: st.DataObject
    ) -> None:
        content = "".join(texts).encode()
        cuts = sorted(data.draw(st.sets(st.integers(0, len(content)))) | {0, len(content)})
        parts = [(OUT, content[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)]
        lines = content.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if lines[-1] == "":
            lines.pop()
        expected = "".join(f"{PREFIX}INFO] {line}\r\n" for line in lines)
        self.assertEqual(azure(write(*parts)), expected)


class RawTests(TestCase):
    def test_streams_are_separate_and_exact(self) -> None:
        log = write((OUT, b"a\xff"), (ERR, b"\r\n\0"), (Stream.SYSTEM, b"s\n"), (OUT, b"b"))
        self.assertEqual(b"".join(logs.raw(log, OUT)), b"a\xffb")
        self.assertEqual(b"".join(logs.raw(log, ERR)), b"\r\n\0")
        self.assertEqual(b"".join(logs.raw(log)), b"a\xff\r\n\0s\nb")

    def test_a_large_log_comes_in_small_pieces(self) -> None:
        log = new_log()
        writer = LogWriter(log, limit=10**9)
        data = b"".join(b"%07d\n" % number for number in range(400_000))
        writer.append(OUT, data, THEN)
        writer.complete()
        pieces = list(logs.raw(log, OUT))
        self.assertEqual(b"".join(pieces), data)
        self.assertLessEqual(max(map(len, pieces)), 256 * 1024)

    def test_reading_goes_on_when_the_oldest_chunks_vanish(self) -> None:
        log = new_log()
        writer = LogWriter(log, limit=1024 * 1024, rolling=True)
        for letter in (b"a", b"b"):
            writer.append(OUT, letter * 1024 * 1024, THEN)
            writer.flush()
        reading = logs.raw(log)
        self.assertEqual(next(reading)[:1], b"b")
        for _ in range(4):
            writer.append(OUT, b"c" * 1024 * 1024, THEN)
            writer.flush()
        self.assertLessEqual(set(b"".join(reading)), set(b"b"))
