"""What an upload may be, and how it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from webjobs.reasons import Reason


class PackageError(Reason):
    """An upload that is refused."""


@dataclass(frozen=True)
class PackageLimits:
    """What an upload may unpack to. Sizes in bytes; `ratio` is unpacked to packed size."""

    entries: int = 10_000
    total: int = 1024**3
    ratio: int = 200
    ratio_from: int = 1024**2  # Entries up to this size may have any ratio.


def shown(name: str) -> str:
    """A name from outside as it may stand in a message: printable and short."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    return clean if len(clean) <= 100 else clean[:60] + "…" + clean[-39:]
