"""The pushing half of Git's protocol over HTTP: what a client says first, and what it is told.

No ref of ours is ever named: each push begins with nothing, so it brings all that it needs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from webjobs.reasons import Reason, gettext_noop

ADVERTISEMENT_TYPE = "application/x-git-receive-pack-advertisement"
RESULT_TYPE = "application/x-git-receive-pack-result"
NOBODY = "0" * 40
_CAPABILITIES = "report-status delete-refs side-band-64k quiet ofs-delta object-format=sha1"
_FLUSH = b"0000"
# Of one packet, and of all that comes before the pack.
_MOST_IN_PACKET = 65_515
_MOST_LINES = 20_000
_COMMAND = re.compile(r"(?P<old>[0-9a-f]{40}) (?P<new>[0-9a-f]{40}) (?P<ref>[^\0\n]+)")
_SHALLOW = re.compile(r"shallow (?P<commit>[0-9a-f]{40})\n?")
_BRANCH = "refs/heads/"

UNREADABLE = gettext_noop("This is not what git sends for a push.")
ONE_BRANCH = gettext_noop("Push one branch at a time; %(count)d refs were pushed.")
ONLY_BRANCHES = gettext_noop("Only a branch can be deployed, not %(ref)s.")
NO_DELETION = gettext_noop("A branch cannot be deleted here: there is none, only what is deployed.")


class PushError(Reason):
    """A push that is refused."""


@dataclass(frozen=True)
class Push:
    """`commit` is to become the end of `ref`; the pack begins at `offset` of the body."""

    ref: str
    commit: str
    offset: int
    has_bands: bool
    # Where the history of the client is cut off.
    shallow: tuple[str, ...] = ()

    @property
    def branch(self) -> str:
        return self.ref.removeprefix(_BRANCH)


def _packet(data: bytes) -> bytes:
    return f"{len(data) + 4:04x}".encode() + data


def advertisement() -> bytes:
    """What a client is told before it pushes: no ref, and what can be done."""
    first = f"{NOBODY} capabilities^{{}}\0{_CAPABILITIES}\n".encode()
    return _packet(b"# service=git-receive-pack\n") + _FLUSH + _packet(first) + _FLUSH


def read(body: IO[bytes]) -> Push | None:
    """What is pushed; None for a client that only tries whether it may. Raises PushError."""
    commands, shallow, capabilities = [], [], ""
    for _ in range(_MOST_LINES):
        line = _line(body)
        if line is None:
            break
        text, _, more = line.decode("utf-8", "replace").partition("\0")
        capabilities = more or capabilities
        if cut := _SHALLOW.fullmatch(text):
            shallow.append(cut["commit"])
        else:
            commands.append(text.rstrip("\n"))
    else:
        raise PushError("unreadable", UNREADABLE)
    if not commands:
        return None
    found = _COMMAND.fullmatch(commands[0])
    if found is None:
        raise PushError("unreadable", UNREADABLE)
    bands = "side-band-64k" in capabilities.split()
    push = Push(found["ref"], found["new"], body.tell(), bands, tuple(shallow))
    return _checked(push, len(commands))


class NotDeployable(PushError):
    """A push that is well-formed, and can be told through git why it is refused."""

    def __init__(self, push: Push, reason: PushError) -> None:
        super().__init__(reason.code, reason.text, **reason.params)
        self.push = push


def _checked(push: Push, count: int) -> Push:
    if count != 1:
        raise NotDeployable(push, PushError("one_branch", ONE_BRANCH, count=count))
    if not push.ref.startswith(_BRANCH):
        raise NotDeployable(push, PushError("only_branches", ONLY_BRANCHES, ref=push.ref[:200]))
    if push.commit == NOBODY:
        raise NotDeployable(push, PushError("no_deletion", NO_DELETION))
    return push


def _line(body: IO[bytes]) -> bytes | None:
    """The next packet's content; None at a flush, and where a body that is empty ends."""
    head = body.read(4)
    if head in (b"", _FLUSH):
        return None
    try:
        size = int(head, 16)
    except ValueError:
        raise PushError("unreadable", UNREADABLE) from None
    content = body.read(size - 4) if size > 4 else b""
    if size < 5 or len(content) != size - 4:
        raise PushError("unreadable", UNREADABLE)
    return content


def report(push: Push, lines: Sequence[str], refusal: str = "") -> bytes:
    """What git shows (`remote: ...` for each line), and whether the push was taken."""
    why = " ".join(refusal.split())[:1000]
    status = _packet(b"unpack ok\n")
    status += _packet(f"ng {push.ref} {why}\n".encode() if why else f"ok {push.ref}\n".encode())
    status += _FLUSH
    if not push.has_bands:
        return status
    told = b"".join(_packet(b"\2" + line.encode()[: _MOST_IN_PACKET - 1] + b"\n") for line in lines)
    return told + _packet(b"\1" + status) + _FLUSH
