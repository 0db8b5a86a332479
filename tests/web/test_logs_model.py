"""Everything that reads a log agrees with a model that keeps a list of bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.support.logs import new_log
from webjobs import logs
from webjobs.logs import LogWriter, Page
from webjobs.logs.frames import unpack
from webjobs.models import Log
from webjobs.states import Stream

MIB = 1024 * 1024
NOON = 1_700_000_000.0

OUTPUT = st.one_of(
    st.lists(st.sampled_from(["a", "\n", "\r\n", "é", "€😀", "\r"]), max_size=8).map(
        lambda pieces: "".join(pieces).encode()
    ),
    st.binary(max_size=6),
    st.integers(1, 60).map(lambda length: b"long" * length + b"\n"),
)


@dataclass(frozen=True)
class Append:
    stream: Stream
    data: bytes
    cut: int  # handed over in two parts, so that characters and line ends are torn


@dataclass(frozen=True)
class System:
    level: Stream
    message: str


Flush = None
STEPS = st.lists(
    st.one_of(
        st.builds(Append, st.sampled_from([Stream.OUT, Stream.ERR]), OUTPUT, st.integers(0, 10)),
        st.builds(System, st.sampled_from([Stream.SYSTEM, Stream.SYSTEM_ERR]), st.text("hé")),
        st.just(Flush),
    ),
    max_size=25,
)


@dataclass
class Model:
    """What a log should be, without any cleverness."""

    streams: dict[Stream, bytes] = field(default_factory=dict)

    def add(self, stream: Stream, data: bytes) -> None:
        self.streams[stream] = self.streams.get(stream, b"") + data


def write(log: Log, steps: list[Append | System | None]) -> Model:
    model, writer = Model(), LogWriter(log, limit=MIB)
    for index, step in enumerate(steps):
        if isinstance(step, Append):
            for part in (step.data[: step.cut], step.data[step.cut :]):
                writer.append(step.stream, part, NOON + index)
            model.add(step.stream, step.data)
        elif isinstance(step, System):
            writer.system(step.level, step.message)
            model.add(step.level, step.message.encode() + b"\n")
        else:
            writer.flush()
    writer.complete()
    return model


def naive_lines(log: Log) -> list[tuple[int, str]]:
    """Stream and text of every line, from the bytes of all streams one by one."""
    lines: list[tuple[int, bytearray]] = []
    before: int | None = None
    for chunk in log.chunks.order_by("offset"):
        position = 0
        for length, stream, _ in unpack(bytes(chunk.frames))[1]:
            for byte in bytes(chunk.data)[position : position + length]:
                if before != stream:
                    lines.append((stream, bytearray()))
                lines[-1][1].append(byte)
                before = None if byte == 0x0A else stream
            position += length
    return [(stream, _text(bytes(content))) for stream, content in lines]


def _text(content: bytes) -> str:
    if content.endswith(b"\r\n"):
        content = content[:-2]
    elif content.endswith(b"\n"):
        content = content[:-1]
    return content.decode(errors="replace")


def put_together(pages: list[Page]) -> list[tuple[int, str]]:
    lines: dict[int, tuple[int, str]] = {}
    for page in pages:
        for line in page.lines:
            _, text = lines.get(line.number, (0, ""))
            assert line.is_rest == (line.number in lines)
            lines[line.number] = (int(line.stream), text + line.text)
    assert list(lines) == list(range(1, len(lines) + 1))
    return list(lines.values())


class ModelTests(TestCase):
    @settings(max_examples=150, deadline=None)
    @given(STEPS, st.integers(16, 300), st.integers(1, 7))
    def test_all_ways_of_reading_agree(
        self, steps: list[Append | System | None], max_bytes: int, count: int
    ) -> None:
        log = new_log()
        model = write(log, steps)
        log.refresh_from_db()
        expected = naive_lines(log)

        for stream in Stream:
            self.assertEqual(b"".join(logs.raw(log, stream)), model.streams.get(stream, b""))
        self.assertEqual(sum(map(len, logs.raw(log))), log.size)
        self.assertEqual(log.lines, len(expected))

        self.assertEqual(put_together(self._followed(log, max_bytes)), expected)
        self.assertEqual(put_together(self._by_lines(log, count)), expected)
        self.assertEqual(put_together(self._backwards(log, count)), expected)

    def _followed(self, log: Log, max_bytes: int) -> list[Page]:
        pages = [logs.read_after(log, 0, max_bytes)]
        while pages[-1].end < pages[-1].size:
            pages.append(logs.read_after(log, pages[-1].end, max_bytes))
            self.assertGreater(pages[-1].end, pages[-2].end)
            self.assertEqual(pages[-1].start, pages[-2].end)
        return pages

    def _by_lines(self, log: Log, count: int) -> list[Page]:
        pages = [logs.read_lines(log, 1, count)]
        while pages[-1].end < pages[-1].size:
            self.assertEqual(len(pages[-1].lines), count)
            pages.append(logs.read_lines(log, pages[-1].lines[-1].number + 1, count))
        return pages

    def _backwards(self, log: Log, count: int) -> list[Page]:
        pages = [logs.tail(log, count)]
        while pages[0].start > 0:
            self.assertEqual(len(pages[0].lines), count)
            pages.insert(0, logs.read_before(log, pages[0].start, count))
            self.assertEqual(pages[0].end, pages[1].start)
        return pages
