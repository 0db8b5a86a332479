"""Addresses and branches that are taken, and folders of this machine that are not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repositories import make
from webjobs.runner import git_address

JOB = "App_Data/jobs/triggered/nightly/"


@pytest.mark.parametrize(
    ("text", "protocol"),
    [
        ("https://github.com/some/one.git", "https"),
        ("HTTPS://host:8443/a/b", "https"),
        ("git@github.com:some/one.git", "ssh"),
        ("ssh://git@host:2222/some/one.git", "ssh"),
        ("host:some/one.git", "ssh"),
    ],
)
def test_good_addresses(text: str, protocol: str) -> None:
    assert git_address.parse(text, []).protocol == protocol


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-oProxyCommand=x:y",
        "--upload-pack=x",
        "ext::sh -c x",
        "http://host/x.git",
        "git://host/x",
        "file:///srv/x",
        "https://user:secret@host/x.git",
        "https://host/x y.git",
        "https://host",
        "https://host:99999/x.git",
        "ssh://-oProxyCommand=x/y",
        "git@-host:path",
        "host:-path",
        "https://host/x\n.git",
        "relative/path",
        "https://host/" + "x" * 600,
    ],
)
def test_bad_addresses(text: str) -> None:
    with pytest.raises(git_address.AddressError):
        git_address.parse(text, [])


def test_local_folders_are_those_that_are_allowed(tmp_path: Path) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    allowed.mkdir()
    other.mkdir()
    os.symlink(other, allowed / "out")
    assert git_address.parse(str(allowed / "r"), [str(allowed)]).protocol == "file"
    for bad in (other / "r", allowed / ".." / "other", allowed / "out" / "r"):
        with pytest.raises(git_address.AddressError) as caught:
            git_address.parse(str(bad), [str(allowed)])
        assert caught.value.code == "not_allowed"
    with pytest.raises(git_address.AddressError):
        git_address.parse(str(allowed), [])


def borrow(made: Path, other: Path) -> None:
    (made / ".git/objects/info/alternates").write_text(f"# from\n{other / '.git/objects'}\n")


def link(made: Path, other: Path) -> None:
    (made / ".git").rename(made / "was")
    (made / ".git").symlink_to(other / ".git")


def point(made: Path, other: Path) -> None:
    (made / ".git").rename(made / "was")
    (made / ".git").write_text(f"gitdir: {other / '.git'}\n")


def share(made: Path, other: Path) -> None:
    (made / ".git/commondir").write_text(f"{other / '.git'}\n")


@pytest.mark.parametrize("lead", [borrow, link, point, share])
def test_a_repository_that_takes_from_another_folder_shows_nothing_of_it(
    tmp_path: Path, lead: Callable[[Path, Path], None]
) -> None:
    secret = make(tmp_path / "secret", {JOB + "run.sh": "echo hush"})
    good = make(tmp_path / "allowed" / "good", {JOB + "run.sh": "echo"})
    allowed = [str(tmp_path / "allowed")]
    for other, is_refused in ((good, False), (secret, True)):
        made = make(tmp_path / "allowed" / other.name / "r", {"README": "x"})
        lead(made, other)
        try:
            git_address.parse(str(made), allowed)
        except git_address.AddressError as error:
            assert (error.code, is_refused) == ("elsewhere", True)
        else:
            assert not is_refused
    # Nor by way of one that may be read.
    borrow(good, secret)
    made = make(tmp_path / "allowed" / "last", {"README": "x"})
    lead(made, good)
    with pytest.raises(git_address.AddressError, match="another folder"):
        git_address.parse(str(made), allowed)


@pytest.mark.parametrize("text", ["main", "release/1.2", "feature#4", "refs/heads/main"])
def test_good_branches(text: str) -> None:
    assert git_address.parse_branch(text) == text.removeprefix("refs/heads/")


@pytest.mark.parametrize(
    "text",
    ["", "-x", "--upload-pack=x", "a..b", "a b", "a:b", "a~1", "a^", "x.lock", "a//b", "/a", "a/"]
    + ["a?", "a*", "a[", "@", "a@{1}", "a\\b", "a\nb", ".a", "a/.b", "x" * 300, "+a"],
)
def test_bad_branches(text: str) -> None:
    with pytest.raises(git_address.AddressError):
        git_address.parse_branch(text)
