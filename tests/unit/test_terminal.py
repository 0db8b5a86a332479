"""Escape sequences: colours are kept, lines are as a terminal shows them, the rest is swallowed."""

from __future__ import annotations

import time

import pytest

from webjobs.logs.colours import PLAIN, Style, changed, classes
from webjobs.logs.groups import Mark, mark_of, without_mark, without_marks
from webjobs.logs.terminal import MAX_SEGMENTS, segments, style_after, visible

ESC = "\x1b"
RED = Style(front=1)


def text_of(line: str) -> str:
    return "".join(text for text, _ in segments(line))


def looks(line: str) -> list[tuple[str, str]]:
    return [(text, classes(style)) for text, style in segments(line)]


def test_text_without_controls_is_one_segment() -> None:
    assert segments("a\tb <i>ü</i>") == [("a\tb <i>ü</i>", PLAIN)]
    assert segments("") == []


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("31", "f1"),
        ("1;31", "bo f1"),
        ("97;41", "bg b1 f15"),
        ("90", "f8"),
        ("7", "bg bx"),
        ("7;32", "bg b2"),
        ("7;32;44", "bg b2 f4"),
        ("2;3;4;9", "di it st un"),
        ("1;22", ""),
        ("4;24", ""),
        ("4:3", "un"),
        ("4:0", ""),
        ("31;39", ""),
        ("41;49", ""),
        ("31;0", ""),
        ("31;", ""),
        ("38;5;9", "f9"),
        ("38;5;196", "f9"),
        ("48;5;21", "bg b4"),
        ("38;5;255", "f7"),
        ("38;2;255;0;0", "f9"),
        ("38:2::0:205:0", "f2"),
        ("38;2;0;0;0;1", "bo f0"),
        ("38;5", "f0"),
        ("999;8;31", "f1"),
    ],
)
def test_colours_and_attributes(codes: str, expected: str) -> None:
    assert looks(f"{ESC}[{codes}mx") == [("x", expected)]


def test_an_empty_sequence_resets() -> None:
    assert looks(f"{ESC}[31mred{ESC}[mplain") == [("red", "f1"), ("plain", "")]


def test_colours_go_on_to_the_next_line() -> None:
    assert style_after(PLAIN, f"x{ESC}[31mred") == RED
    assert segments("still", RED) == [("still", RED)]
    assert style_after(RED, f"{ESC}[0m") == PLAIN


@pytest.mark.parametrize(
    "line",
    [
        f"a{ESC}]0;a title\x07b",
        f"a{ESC}]8;;https://example.org{ESC}\\b",
        f"a{ESC}Pq#0;2;0;0;0{ESC}\\b",
        f"a{ESC}(Bb",
        f"a{ESC}7{ESC}[2J{ESC}[?25l{ESC}[10;10H{ESC}[1Ab",
        "a\x9b31mb",
        "a\x00\x07\x0b\x0c\x7f\x85b",
        f"ab{ESC}",
        f"ab{ESC}[",
        f"ab{ESC}[38;5",
        f"ab{ESC}]0;never ended",
        f"a{ESC}[31;{ESC}[1mb",
        f"{ESC}{ESC}{ESC}[ab"[:-2] + f"{ESC}[Hab",
    ],
)
def test_everything_else_is_swallowed_finished_or_not(line: str) -> None:
    assert text_of(line) == "ab"
    assert visible(line.encode()) == b"ab"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("10 %\r55 %\r100 %", "100 %"),
        ("10 %\r", "10 %"),
        ("100 %\r5", "500 %"),
        (f"long words\r{ESC}[Kdone", "done"),
        (f"long words\r{ESC}[2Kdone", "done"),
        (f"abc{ESC}[1Kd", "   d"),
        ("abd\bc", "abc"),
        (f"abc{ESC}[2DX", "aXc"),
        (f"a{ESC}[3Cb", "a   b"),
        (f"abc{ESC}[1Gx", "xbc"),
        (f"abc{ESC}[1G{ESC}[2Xz", "z c"),
        ("|\b/\b-\b\\", "\\"),
    ],
)
def test_a_line_that_is_written_over_shows_its_last_state(line: str, expected: str) -> None:
    assert text_of(line) == expected
    assert visible(f"before\n{line}\nafter".encode()) == f"before\n{expected}\nafter".encode()


def test_what_is_written_over_keeps_its_own_colours() -> None:
    assert looks(f"{ESC}[31mred\r{ESC}[32mg") == [("g", "f2"), ("ed", "f1")]


def test_the_number_of_lines_stays() -> None:
    text = f"a{ESC}]never\n{ESC}[31\nb\r\nc".encode()
    assert visible(text).count(b"\n") == text.count(b"\n")


@pytest.mark.parametrize(
    "unit",
    [
        f"{ESC}[",
        f"{ESC}]",
        f"{ESC}[31m",
        f"{ESC}[1mx",
        f"x{ESC}[99999C",
        f"xxxx{ESC}[1K",
        f"x{ESC}[G{ESC}[99999X",
        "x\r",
        "\r",
        "\b",
        f"{ESC}[0;",
        "0;",
        "\x9b",
    ],
)
def test_hostile_output_takes_time_and_room_in_proportion(unit: str) -> None:
    line = unit * (64 * 1024 // len(unit))
    begun = time.process_time()
    found = segments(f"{ESC}[{line}")
    visible(line.encode())
    assert time.process_time() - begun < 2
    assert len(found) <= MAX_SEGMENTS + 1
    assert sum(len(text) for text, _ in found) <= 2 * len(line) + 1024


def test_very_many_colours_end_as_plain_text() -> None:
    line = "".join(f"{ESC}[{31 + n % 2}m{n % 10}" for n in range(5000))
    found = segments(line)
    assert len(found) == MAX_SEGMENTS + 1
    assert "".join(text for text, _ in found) == "0123456789" * 500


def test_too_many_or_huge_parameters_do_no_harm() -> None:
    assert changed(PLAIN, ";".join(["1"] * 5000)).attributes == {"bo"}
    assert changed(PLAIN, "9" * 5000) == PLAIN


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("::group::Build it", Mark((), "github", False)),
        ("::endgroup::", Mark(("github",), "", False)),
        ("##[group]Build it", Mark((), "azure", False)),
        ("##[endgroup]", Mark(("azure",), "", False)),
        ("section_start:1560896352:build\r\x1b[0KBuild it", Mark((), "section:build", False)),
        (
            "\x1b[0Ksection_start:1:b_1[collapsed=true]\r\x1b[0KBuild it",
            Mark((), "section:b_1", True),
        ),
        ("section_end:1560896353:build\r\x1b[0K", Mark(("section:build",), "", False)),
        (
            "section_end:1:a\r\x1b[0Ksection_start:2:b\r\x1b[0KBuild it",
            Mark(("section:a",), "section:b", False),
        ),
        ("  ::group::not at the beginning", None),
        ("section_start:x:build\r", None),
        ("Build it", None),
    ],
)
def test_marks_of_groups(line: str, mark: Mark | None) -> None:
    assert mark_of(line) == mark
    if mark and mark.begins:
        assert text_of(without_mark(line)) == "Build it"
    elif mark:
        assert text_of(without_mark(line)) == ""


def test_marks_are_taken_out_of_many_lines() -> None:
    text = b"::group::a\nb ::group:: c\n##[endgroup]\n##[section]x"
    assert without_marks(text) == b"a\nb ::group:: c\n\n##[section]x"
