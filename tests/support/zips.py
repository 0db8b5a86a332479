"""Zip files as honest people, old programs and attackers make them."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

REGULAR = stat.S_IFREG | 0o644


def write(path: Path, files: Mapping[str, str | bytes]) -> Path:
    """A plain zip; a name that ends in "/" is a folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_raw(
    path: Path,
    *names: bytes,
    mode: int = REGULAR,
    method: int = zipfile.ZIP_STORED,
    utf8: bool = False,
) -> Path:
    """A zip whose entries have exactly these bytes as their names."""
    marks = [f"name-{number:0{len(name) - 5}}".encode() for number, name in enumerate(names)]
    with zipfile.ZipFile(path, "w") as archive:
        for mark in marks:
            info = zipfile.ZipInfo(mark.decode())
            info.external_attr = mode << 16
            info.compress_type = method
            archive.writestr(info, "echo hello")
    data = path.read_bytes()
    for mark, name in zip(marks, names, strict=True):
        assert len(mark) == len(name), "a test name needs at least 6 bytes"
        data = data.replace(mark, name)
    path.write_bytes(set_flag(data, 0x800) if utf8 else data)
    return path


def set_flag(data: bytes, flag: int) -> bytes:
    """The zip with `flag` set in every entry, in both of its headers."""
    result = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            value = int.from_bytes(result[at + offset : at + offset + 2], "little") | flag
            result[at + offset : at + offset + 2] = value.to_bytes(2, "little")
            at = data.find(signature, at + 4)
    return bytes(result)
