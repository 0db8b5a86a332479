"""Real Git repositories, as honest people and attackers make them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada Example",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Example",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def git(folder: Path, *arguments: str, data: bytes | None = None, **environ: str) -> str:
    """What git prints in `folder`."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=_ENVIRONMENT | environ,
        input=data,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def make(folder: Path, files: Mapping[str, str | bytes] | None = None) -> Path:
    """A repository with the branch `main`, and one commit when there are files."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    if files:
        commit(folder, files)
    return folder


def commit(folder: Path, files: Mapping[str, str | bytes | None], message: str = "First") -> str:
    """Write the files (None removes one) and commit; returns the commit's name."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def commit_tree(folder: Path, entries: list[tuple[str, str, str]], place: str = "") -> str:
    """A commit of entries (mode, name, object) that git itself would not make, below `place`.

    Becomes the branch `main`.
    """
    tree = tree_of(folder, entries)
    for name in reversed(place.split("/") if place else []):
        tree = tree_of(folder, [("40000", name, tree)])
    made = git(folder, "commit-tree", tree, "-m", "Odd")
    git(folder, "update-ref", "refs/heads/main", made)
    return made


def tree_of(folder: Path, entries: list[tuple[str, str, str]]) -> str:
    """The name of a new tree of entries (mode, name, object)."""
    data = b"".join(
        f"{mode} {name}".encode() + b"\0" + bytes.fromhex(content)
        for mode, name, content in entries
    )
    return git(folder, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", data=data)


def blob(folder: Path, content: str) -> str:
    """The name of a new object with this content."""
    return git(folder, "hash-object", "-w", "--stdin", data=content.encode())
