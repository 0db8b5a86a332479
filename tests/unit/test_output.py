from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webjobs.runner.output import HOLD_SECONDS, READ_BYTES, READS_PER_STEP, Masker, Reader
from webjobs.states import Stream


def mask(secrets: list[bytes], *pieces: bytes) -> bytes:
    masker = Masker(secrets)
    return b"".join(masker.feed(piece) for piece in pieces) + masker.release()


def test_it_masks_a_secret_inside_a_line() -> None:
    assert mask([b"hunter2"], b"password hunter2 used\n") == b"password *** used\n"


def test_it_masks_every_occurrence() -> None:
    assert mask([b"hunter2"], b"hunter2hunter2 hunter2") == b"****** ***"


def test_it_leaves_values_alone_that_are_too_short_to_be_secrets() -> None:
    assert mask([b"on", b"123"], b"on 123 one") == b"on 123 one"


def test_it_prefers_the_longer_of_two_secrets() -> None:
    assert mask([b"pass", b"password"], b"a password, a pass") == b"a ***, a ***"


def test_it_masks_a_secret_cut_anywhere() -> None:
    text = b"x hunter2 y"
    for cut in range(len(text) + 1):
        assert mask([b"hunter2"], text[:cut], text[cut:]) == b"x *** y"


def test_it_masks_a_secret_that_comes_byte_by_byte() -> None:
    assert mask([b"hunter2"], *(b"hunhunter2!"[i : i + 1] for i in range(11))) == b"hun***!"


def test_it_waits_for_the_longer_secret_when_the_shorter_is_complete() -> None:
    assert mask([b"pass", b"password"], b"the pass", b"word") == b"the ***"


def test_it_masks_the_shorter_secret_when_the_longer_does_not_come() -> None:
    assert mask([b"pass", b"password"], b"the pass", b"enger") == b"the ***enger"


def test_it_holds_nothing_back_that_can_not_begin_a_secret() -> None:
    masker = Masker([b"hunter2"])
    assert masker.feed(b"a whole line\n") == b"a whole line\n"
    assert not masker.holds


def test_it_holds_back_no_more_than_the_beginning_of_a_secret() -> None:
    masker = Masker([b"hunter2"])
    assert masker.feed(b"go hunt") == b"go "
    assert masker.holds
    assert masker.release() == b"hunt"


def test_it_masks_binary_secrets() -> None:
    assert mask([b"\x00\xff\x00\xfe"], b"\x00\xff", b"\x00\xfe\x00") == b"***\x00"


# Few letters, so that secrets overlap each other and themselves.
words = st.text("ab", min_size=4, max_size=7).map(str.encode)


@given(st.lists(words, min_size=1, max_size=4), st.lists(st.text("ab", max_size=9), max_size=12))
def test_it_finds_the_same_however_the_stream_is_cut(secrets: list[bytes], cuts: list[str]) -> None:
    pieces = [cut.encode() for cut in cuts]
    longest_first = sorted(set(secrets), key=len, reverse=True)
    expected = re.sub(b"|".join(longest_first), b"***", b"".join(pieces))
    assert mask(secrets, *pieces) == expected


class Pipe:
    """A pipe with a reader on it."""

    def __init__(self, secrets: list[bytes]) -> None:
        source, self.writer = os.pipe()
        os.set_blocking(source, False)
        self.got: list[bytes] = []
        self.reader = Reader(source, Stream.OUT, self._sink, secrets, 0.0)

    def _sink(self, stream: Stream, data: bytes, at: float) -> None:
        assert stream is Stream.OUT
        assert at > 1e9
        self.got.append(data)

    def write(self, data: bytes) -> None:
        os.write(self.writer, data)


@pytest.fixture
def pipes() -> Iterator[list[Pipe]]:
    made: list[Pipe] = []
    yield made
    for pipe in made:
        os.close(pipe.reader.fd)
        os.close(pipe.writer)


def make(pipes: list[Pipe], *secrets: bytes) -> Pipe:
    pipes.append(Pipe(list(secrets)))
    return pipes[-1]


def test_it_hands_over_what_is_there(pipes: list[Pipe]) -> None:
    pipe = make(pipes)
    pipe.write(b"one\ntwo")
    assert pipe.reader.step(1.0) == 7
    assert pipe.got == [b"one\ntwo"]


def test_it_does_not_wait_for_more(pipes: list[Pipe]) -> None:
    pipe = make(pipes)
    assert pipe.reader.step(1.0) == 0
    assert pipe.reader.open


def test_it_does_a_bounded_amount_of_work_per_step(pipes: list[Pipe]) -> None:
    pipe = make(pipes)
    pipe.write(b"x" * READ_BYTES)
    pipe.reader.step(1.0)  # which makes the pipe larger
    pipe.write(b"y" * 7 * READ_BYTES)
    assert pipe.reader.step(2.0) == READS_PER_STEP * READ_BYTES


def test_it_releases_held_bytes_after_a_moment(pipes: list[Pipe]) -> None:
    pipe = make(pipes, b"hunter2")
    pipe.write(b"go hunt")
    pipe.reader.step(10.0)
    assert pipe.reader.deadline == 10.0 + HOLD_SECONDS
    pipe.reader.release_due(10.0 + HOLD_SECONDS / 2)
    assert pipe.got == [b"go "]
    pipe.reader.release_due(10.0 + HOLD_SECONDS)
    assert pipe.got == [b"go ", b"hunt"]
    assert pipe.reader.deadline is None


def test_it_releases_held_bytes_at_the_end(pipes: list[Pipe]) -> None:
    pipe = make(pipes, b"hunter2")
    pipe.write(b"hunt")
    pipe.reader.step(1.0)
    os.close(pipe.writer)
    pipe.writer = os.dup(0)
    pipe.reader.step(1.0)
    assert not pipe.reader.open
    assert pipe.got == [b"hunt"]
