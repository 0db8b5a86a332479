"""Fetching by https from a server that asks for a token."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import repositories
from tests.support.git_server import GitServer, serving
from tests.support.repositories import commit, make
from webjobs.runner.git import Git, Remote
from webjobs.runner.git_errors import GitError

MIB = 1024**2
TOKEN = 'to"ken\\with-signs'


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    made = make(tmp_path / "root" / "jobs", {"App_Data/jobs/triggered/one/run.sh": "echo"})
    commit(made, {"README": "x"}, "Second")
    with serving(tmp_path / "root", tmp_path, TOKEN) as found:
        monkeypatch.setenv("GIT_SSL_CAINFO", str(found.authority))
        yield found


def remote(server: GitServer, path: str = "/jobs/.git", secret: str = TOKEN) -> Remote:
    return Remote(server.url + path, "https", "main", secret=secret)


def test_it_fetches_with_the_token(git: Git, server: GitServer) -> None:
    newest = git.newest(remote(server))
    assert git.fetch(remote(server)) == newest
    assert git.run("rev-list", "--all").decode().split() == [newest]


def refused(git: Git, wanted: Remote) -> GitError:
    with pytest.raises(GitError) as caught:
        git.fetch(wanted)
    assert TOKEN not in caught.value.message
    return caught.value


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_a_wrong_token_is_told_without_asking_anybody(
    git: Git, server: GitServer, secret: str
) -> None:
    assert refused(git, remote(server, secret=secret)).code == "credentials"


def test_a_redirect_is_not_followed(git: Git, server: GitServer) -> None:
    assert refused(git, remote(server, "/moved/jobs/.git")).code == "redirect"
    assert all(path.startswith("/moved/") for path in server.seen)


def test_no_repository_is_told(git: Git, server: GitServer) -> None:
    assert refused(git, remote(server, "/none.git")).code == "repository"


def test_a_certificate_of_nobody_is_refused(
    git: Git, server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_SSL_CAINFO")
    assert refused(git, remote(server)).code == "certificate"


def test_a_host_that_is_not_there_is_told(git: Git) -> None:
    wanted = Remote("https://127.0.0.1:9/x.git", "https", "main")
    assert refused(git, wanted).code == "unreachable"


def test_objects_of_another_address_are_not_asked_for(
    git: Git, server: GitServer, tmp_path: Path
) -> None:
    """A server without git's own program may say that its objects are somewhere else."""
    plain = tmp_path / "root" / "plain"
    shutil.copytree(tmp_path / "root" / "jobs" / ".git", plain)
    repositories.git(plain, "update-server-info")
    shutil.rmtree(plain / "objects")
    (plain / "objects" / "info").mkdir(parents=True)
    other = f"{server.url}/jobs/.git/objects\n"
    (plain / "objects" / "info" / "http-alternates").write_text(other)
    refused(git, remote(server, "/files/plain"))
    assert server.seen and all(path.startswith("/files/") for path in server.seen)
