"""What differs between two packages."""

from __future__ import annotations

import difflib
import io
import random
import time
import zipfile
import zlib

import pytest

from webjobs.runner import comparison
from webjobs.runner.comparison import Change
from webjobs.runner.line_diff import hunks, line_diff
from webjobs.runner.package import PackageError


def _zip(files: dict[str, str | bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer


def _compare(old: dict[str, str | bytes], new: dict[str, str | bytes]) -> list[Change]:
    with (
        comparison.contents(_zip(old), "zip", "a.zip") as before,
        comparison.contents(_zip(new), "zip", "b.zip") as after,
    ):
        return comparison.compare(before, after)


def _signs(change: Change) -> list[str]:
    return [line.sign + line.text for hunk in change.hunks for line in hunk]


def test_it_lists_what_was_added_removed_and_changed() -> None:
    old: dict[str, str | bytes] = {"run.sh": "echo 1\n", "gone.txt": "x", "same.txt": "y"}
    new: dict[str, str | bytes] = {"run.sh": "echo 2\n", "lib/new.txt": "zz", "same.txt": "y"}
    found = [(each.path, each.what, each.old_size, each.new_size) for each in _compare(old, new)]
    assert found == [
        ("gone.txt", "removed", 1, None),
        ("lib/new.txt", "added", None, 2),
        ("run.sh", "changed", 7, 7),
    ]


def test_it_shows_the_lines_of_a_text_that_differ() -> None:
    (change,) = _compare({"run.sh": "a\nb\nc\n"}, {"run.sh": "a\nB\nc\nd\n"})
    assert _signs(change) == [" a", "-b", "+B", " c", "+d", " "]


def test_equal_packages_have_no_differences() -> None:
    assert _compare({"run.sh": "a"}, {"run.sh": "a"}) == []


def test_it_does_not_show_what_is_no_text() -> None:
    (change,) = _compare({"run.exe": b"\0\1"}, {"run.exe": b"\0\2"})
    assert (change.unshown, change.hunks) == ("binary", [])
    (change,) = _compare({"run.sh": b"caf\xe9"}, {"run.sh": "café"})
    assert change.unshown == "binary"


def test_it_does_not_show_what_is_too_large() -> None:
    (change,) = _compare({"data.txt": "x" * 300_000}, {"data.txt": "y" * 300_000})
    assert change.unshown == "large"
    (change,) = _compare({"data.txt": "x\n" * 5000}, {"data.txt": "x\n" * 5001})
    assert change.unshown == "large"


def test_it_does_not_search_for_what_texts_without_likeness_share() -> None:
    chaos = random.Random(3)  # noqa: S311
    texts = ["\n".join(chaos.choice("abcdef") for _ in range(3900)) for _ in range(2)]
    begun = time.process_time()
    (change,) = _compare({"a": texts[0]}, {"a": texts[1]})
    assert change.unshown == "different"
    assert time.process_time() - begun < 3


def test_it_is_not_deceived_by_a_forged_checksum() -> None:
    """Four bytes that give another file the same checksum and the same size."""
    first = b"echo harmless #____\n"
    other = b"echo malicious #"
    forged = _with_checksum(other, zlib.crc32(first), len(first))
    assert (len(forged), zlib.crc32(forged)) == (len(first), zlib.crc32(first))
    (change,) = _compare({"run.sh": first}, {"run.sh": forged})
    assert (change.path, change.what) == ("run.sh", "changed")


def _with_checksum(start: bytes, wanted: int, size: int) -> bytes:
    """`start` with four bytes that lead to the checksum `wanted` (the table, read backwards)."""
    table = [_entry(index) for index in range(256)]
    by_high = {value >> 24: index for index, value in enumerate(table)}
    assert size == len(start) + 4
    state = wanted ^ 0xFFFFFFFF
    indices = []
    for _ in range(4):
        index = by_high[state >> 24]
        indices.append(index)
        state = ((state ^ table[index]) << 8) & 0xFFFFFFFF
    now = zlib.crc32(start) ^ 0xFFFFFFFF
    last = b""
    for index in reversed(indices):
        last += bytes([(now ^ index) & 0xFF])
        now = (now >> 8) ^ table[index]
    return start + last


def _entry(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ (0xEDB88320 if index & 1 else 0)
    return index


def test_a_damaged_archive_is_refused() -> None:
    broken = io.BytesIO(_zip({"run.sh": "echo"}).getvalue()[:-10])
    with pytest.raises(PackageError), comparison.contents(broken, "zip", "a.zip"):
        pass


def test_a_single_script_is_compared_too() -> None:
    with (
        comparison.contents(io.BytesIO(b"a\n"), "file", "run.sh") as old,
        comparison.contents(io.BytesIO(b"b\n"), "file", "run.sh") as new,
    ):
        (change,) = comparison.compare(old, new)
    assert _signs(change) == ["-a", "+b", " "]


@pytest.mark.parametrize("seed", range(30))
def test_the_lines_of_both_texts_can_be_read_from_the_difference(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    old = [chance.choice("abc") for _ in range(chance.randrange(12))]
    new = [chance.choice("abc") for _ in range(chance.randrange(12))]
    lines = line_diff(old, new, 100)
    assert lines is not None
    assert [line.text for line in lines if line.sign != "+"] == old
    assert [line.text for line in lines if line.sign != "-"] == new
    assert [line.old for line in lines if line.old] == list(range(1, len(old) + 1))
    assert [line.new for line in lines if line.new] == list(range(1, len(new) + 1))
    shared = sum(line.sign == " " for line in lines)
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    assert shared >= sum(block.size for block in blocks)


def test_hunks_have_some_lines_around_and_join_when_they_touch() -> None:
    old = [str(number) for number in range(40)]
    new = [*old[:5], "x", *old[6:10], "y", *old[11:30], "z", *old[31:]]
    lines = line_diff(old, new, 10)
    assert lines is not None
    found = hunks(lines)
    assert [(hunk[0].text, hunk[-1].text) for hunk in found] == [("2", "13"), ("27", "33")]
