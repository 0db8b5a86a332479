"""Fetching by ssh from a real OpenSSH server, which lets in whoever has the deploy key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.needs import needs
from tests.support.repositories import commit, make
from tests.support.ssh_server import SshServer, serving
from webjobs.runner import deploy_key
from webjobs.runner.git import Git, Limits, Remote
from webjobs.runner.git_errors import GitError

pytestmark = needs("sshd")
MIB = 1024**2
KEY = deploy_key.new()

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with serving(tmp_path / "ssh") as found:
        found.allow([KEY.public])
        yield found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = make(tmp_path / "jobs", {"App_Data/jobs/triggered/one/run.sh": "echo"})
    commit(made, {"README": "x"}, "Second")
    return made


def remote(
    server: SshServer, repository: Path, secret: str = KEY.private, known_hosts: str = ""
) -> Remote:
    url = f"{server.url}{repository}"
    return Remote(url, "ssh", "main", secret=secret, known_hosts=known_hosts)


def refused(git: Git, wanted: Remote) -> GitError:
    errors = []
    for ask in (git.newest, git.fetch):
        with pytest.raises(GitError) as caught:
            ask(wanted)
        errors.append(caught.value)
    assert errors[0].message == errors[1].message
    assert "PRIVATE" not in errors[0].message
    return errors[0]


def test_the_first_contact_learns_the_hosts_key_and_later_ones_want_it(
    git: Git, server: SshServer, repository: Path
) -> None:
    newest = git.newest(remote(server, repository))
    assert git.known_hosts == f"[127.0.0.1]:{server.port} {server.host_key}\n"
    known = remote(server, repository, known_hosts=git.known_hosts)
    assert git.fetch(known) == newest
    assert git.run("rev-list", "--all").decode().split() == [newest]
    assert git.known_hosts == known.known_hosts


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_host_that_shows_another_key_is_refused_before_it_learns_anything(
    git: Git, server: SshServer, repository: Path, kind: str
) -> None:
    git.newest(remote(server, repository))
    known = git.known_hosts
    server.stop()
    server.forget_key()
    server.start(kind)
    error = refused(git, remote(server, repository, known_hosts=known))
    assert error.code == "host_key"
    assert "remove the known host key" in error.message
    assert git.known_hosts == known
    # Once somebody has removed it, the next contact is a first one again.
    (git.path.parent / "known_hosts").unlink()
    git.fetch(remote(server, repository))
    assert git.known_hosts == f"[127.0.0.1]:{server.port} {server.host_key}\n"


def test_a_key_that_the_host_does_not_know_is_told(
    git: Git, server: SshServer, repository: Path
) -> None:
    error = refused(git, remote(server, repository, deploy_key.new().private))
    assert error.code == "key"
    assert "Add the public key" in error.message


def test_keys_of_the_user_and_an_agent_are_not_tried(
    git: Git, server: SshServer, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key that would be let in lies where ssh would look for it."""
    home = tmp_path / "home" / ".ssh"
    home.mkdir(parents=True)
    (home / "id_ed25519").write_text(KEY.private)
    (home / "id_ed25519").chmod(0o600)
    monkeypatch.setenv("HOME", str(home.parent))
    assert refused(git, remote(server, repository, deploy_key.new().private)).code == "key"


def test_a_repository_that_is_not_there_is_told(
    git: Git, server: SshServer, tmp_path: Path
) -> None:
    assert refused(git, remote(server, tmp_path / "nothing")).code == "repository"


def test_a_branch_that_is_not_there_is_told(git: Git, server: SshServer, repository: Path) -> None:
    wanted = Remote(f"{server.url}{repository}", "ssh", "mian", secret=KEY.private)
    assert refused(git, wanted).code == "branch"


def test_a_host_that_is_not_there_is_told(git: Git, server: SshServer, repository: Path) -> None:
    server.stop()
    error = refused(git, remote(server, repository))
    assert error.code == "unreachable"
    assert "Connection refused" in error.message


def test_a_host_that_has_no_address_is_told(git: Git) -> None:
    wanted = Remote("git@host.invalid:x.git", "ssh", "main", secret=KEY.private)
    assert refused(git, wanted).code == "unreachable"


def test_a_host_that_dies_meanwhile_is_told(git: Git, server: SshServer, repository: Path) -> None:
    server.allow([KEY.public], command="sleep 60")
    slow = Git(git.path.parent, Limits(4 * MIB, 30), tick=lambda: server.stop())
    with pytest.raises(GitError) as caught:
        slow.fetch(remote(server, repository))
    assert caught.value.code == "unreachable"
    assert "closed by remote host" in caught.value.message


def ed25519_key() -> PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def ecdsa_key() -> PrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def rsa_key() -> PrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("new", "form"),
    [
        (ed25519_key, PrivateFormat.OpenSSH),
        (ed25519_key, PrivateFormat.PKCS8),
        (ecdsa_key, PrivateFormat.OpenSSH),
        (ecdsa_key, PrivateFormat.PKCS8),
        (ecdsa_key, PrivateFormat.TraditionalOpenSSL),
        (rsa_key, PrivateFormat.OpenSSH),
        (rsa_key, PrivateFormat.PKCS8),
        (rsa_key, PrivateFormat.TraditionalOpenSSL),
    ],
)
def test_every_key_that_is_taken_can_be_used(
    git: Git,
    server: SshServer,
    repository: Path,
    new: Callable[[], PrivateKey],
    form: PrivateFormat,
) -> None:
    pasted = new().private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    key = deploy_key.read(pasted)
    server.allow([key.public])
    git.fetch(remote(server, repository, key.private))
