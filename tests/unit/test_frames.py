"""The index of a chunk: packing it, and finding lines with it."""

from __future__ import annotations

from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from webjobs.logs.buffer import MAX_CHUNK, MAX_FRAMES, Buffer
from webjobs.logs.frames import (
    MAX_TIME_SPAN,
    Frame,
    count_lines,
    find_line,
    incomplete_character,
    pack,
    split_lines,
    unfinished,
    unpack,
)
from webjobs.states import Stream

OUT, ERR = Stream.OUT, Stream.ERR
NOON = 1_700_000_000_000_000

Parts = list[tuple[int, bytes]]
PARTS = st.lists(
    st.tuples(st.integers(0, 4), st.text("a\n", min_size=1, max_size=6).map(str.encode)),
    min_size=1,
    max_size=12,
)


def naive_lines(parts: Parts) -> list[bytes]:
    """Byte by byte: a line ends at a newline or where the stream changes."""
    lines: list[bytes] = []
    before: int | None = None
    for stream, data in parts:
        for byte in data:
            if before != stream:
                lines.append(b"")
            lines[-1] += bytes([byte])
            before = None if byte == 0x0A else stream
    return lines


def framed(parts: Parts) -> tuple[bytes, list[Frame]]:
    frames = [Frame(len(data), stream, NOON + index) for index, (stream, data) in enumerate(parts)]
    return b"".join(data for _, data in parts), frames


class PackTests(SimpleTestCase):
    @given(
        st.lists(
            st.builds(
                Frame,
                st.integers(1, MAX_CHUNK),
                st.integers(0, 4),
                st.integers(NOON, NOON + MAX_TIME_SPAN),
            ),
            min_size=1,
        ),
        st.booleans(),
    )
    def test_it_returns_what_was_packed(self, frames: list[Frame], begins_line: bool) -> None:
        # The first frame's time is the one that others are measured from.
        frames = [Frame(1, 0, NOON), *frames]
        packed = pack(frames, begins_line=begins_line)
        self.assertEqual(unpack(packed), (begins_line, frames))
        self.assertEqual(len(packed), 9 + 8 * len(frames))

    def test_it_packs_a_clock_that_was_set_back(self) -> None:
        frames = [Frame(1, 0, NOON), Frame(1, 0, NOON - MAX_TIME_SPAN)]
        self.assertEqual(unpack(pack(frames, begins_line=True))[1], frames)


class LineTests(SimpleTestCase):
    @given(PARTS)
    def test_lines_are_those_of_the_naive_reading(self, parts: Parts) -> None:
        data, frames = framed(parts)
        lines = naive_lines(parts)
        self.assertEqual([data[s:e] for s, e, *_ in split_lines(data, frames, None)], lines)
        self.assertEqual(count_lines(data, frames, None)[0], len(lines))
        starts = [sum(map(len, lines[:index])) for index in range(len(lines))]
        found = [find_line(data, frames, None, nth) for nth in range(1, len(lines) + 2)]
        self.assertEqual(found, [*starts, None])

    @given(PARTS, st.integers(0, 72))
    def test_counting_can_go_on_anywhere(self, parts: Parts, stop: int) -> None:
        data, frames = framed(parts)
        stop = min(stop, len(data))
        lines, _ = count_lines(data, frames, None, stop)
        expected = sum(1 for s, *_ in split_lines(data, frames, None) if s < stop)
        self.assertEqual(lines, expected)

    def test_the_rest_of_a_line_begins_no_line(self) -> None:
        data, frames = framed([(OUT, b"b\nc")])
        self.assertEqual(count_lines(data, frames, OUT), (1, OUT))
        self.assertEqual(count_lines(data, frames, ERR), (2, OUT))
        self.assertEqual([line.is_begun for line in split_lines(data, frames, OUT)], [False, True])

    def test_a_line_has_the_time_of_its_first_byte(self) -> None:
        data, frames = framed([(OUT, b"a"), (OUT, b"b\nc"), (OUT, b"\n"), (OUT, b"d")])
        times = [line.at - NOON for line in split_lines(data, frames, None)]
        self.assertEqual(times, [0, 1, 3])


class CharacterTests(SimpleTestCase):
    def test_it_counts_the_bytes_of_a_character_without_its_rest(self) -> None:
        for text in ("é", "€", "😀"):
            encoded = text.encode()
            for cut in range(1, len(encoded)):
                self.assertEqual(incomplete_character(b"ab" + encoded[:cut]), cut)
            self.assertEqual(incomplete_character(b"ab" + encoded), 0)

    def test_bytes_that_can_become_no_character_are_not_waited_for(self) -> None:
        for broken in (b"", b"\xff", b"\x80\x80", b"\xc0", b"\xf5"):
            self.assertEqual(incomplete_character(broken), 0, broken)

    def test_a_carriage_return_may_be_half_a_line_end(self) -> None:
        self.assertEqual(unfinished(b"a\r"), 1)
        self.assertEqual(unfinished(b"a\r\n"), 0)
        self.assertEqual(unfinished("é".encode()[:1]), 1)


class BufferTests(SimpleTestCase):
    def test_it_cuts_chunks_at_their_largest_size(self) -> None:
        buffer = Buffer()
        buffer.add(OUT, bytes(3 * MAX_CHUNK + 5), NOON)
        self.assertEqual([chunk.size for chunk in buffer.first(9)], [MAX_CHUNK] * 3 + [5])

    def test_chunks_that_were_handed_out_no_longer_grow(self) -> None:
        buffer = Buffer()
        buffer.add(OUT, b"a", NOON)
        (chunk,) = buffer.first(1)
        buffer.add(OUT, b"b", NOON)
        self.assertEqual(chunk.joined(), b"a")
        buffer.remove(1)
        self.assertEqual([left.joined() for left in buffer.first(9)], [b"b"])
        self.assertEqual(buffer.size, 1)

    def test_bytes_of_the_same_moment_share_a_frame(self) -> None:
        buffer = Buffer()
        for stream, at in ((OUT, 0), (OUT, 999), (OUT, 1000), (ERR, 1000), (OUT, 1000)):
            buffer.add(stream, b"x", NOON + at)
        expected = [Frame(2, OUT, NOON), *(Frame(1, s, NOON + 1000) for s in (OUT, ERR, OUT))]
        self.assertEqual(buffer.first(1)[0].frames, expected)

    def test_a_clock_that_is_set_back_begins_a_frame(self) -> None:
        buffer = Buffer()
        for at in (0, -5):
            buffer.add(OUT, b"x", NOON + at)
        self.assertEqual([frame.at - NOON for frame in buffer.first(1)[0].frames], [0, -5])

    def test_a_chunk_ends_when_its_index_is_full(self) -> None:
        buffer = Buffer()
        for index in range(MAX_FRAMES + 1):
            buffer.add(index % 2, b"x", NOON)
        self.assertEqual([len(chunk.frames) for chunk in buffer.first(9)], [MAX_FRAMES, 1])

    def test_a_chunk_ends_when_a_time_does_not_fit(self) -> None:
        buffer = Buffer()
        for at in (0, MAX_TIME_SPAN, MAX_TIME_SPAN + 1):
            buffer.add(OUT, b"x", NOON + at)
        self.assertEqual([chunk.size for chunk in buffer.first(9)], [2, 1])

    def test_half_a_character_waits_for_its_rest(self) -> None:
        buffer = Buffer()
        buffer.add(OUT, b"a\xe2\x82", NOON)
        buffer.add(ERR, b"!\n", NOON)
        buffer.add(OUT, b"\xacb\n", NOON)
        self.assertEqual(buffer.first(1)[0].joined(), "a!\n€b\n".encode())

    def test_half_a_character_that_was_waited_for_in_vain_is_kept(self) -> None:
        buffer = Buffer()
        buffer.add(OUT, b"a\xe2\x82", NOON)
        self.assertEqual(buffer.size, 1)
        buffer.release(NOON)
        self.assertEqual(buffer.first(1)[0].joined(), b"a\xe2\x82")
