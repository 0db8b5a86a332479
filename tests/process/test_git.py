"""Fetching from real repositories, honest and hostile ones, and making packages of them."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import repositories
from tests.support.repositories import blob, commit, commit_tree, make
from webjobs.runner import job_folders
from webjobs.runner.git import Git, Limits, Remote, temporary
from webjobs.runner.git_errors import GitError
from webjobs.runner.refusal import PackageError, PackageLimits
from webjobs.states import JobType

MIB = 1024**2
JOB = "App_Data/jobs/triggered/nightly/"


@pytest.fixture
def git(tmp_path: Path) -> Iterator[Git]:
    (tmp_path / "uploads").mkdir()
    with temporary(tmp_path / "uploads", Limits(8 * MIB, 60)) as made:
        made.init()
        yield made


def remote(path: Path, branch: str = "main") -> Remote:
    return Remote(str(path), "file", branch)


def jobs(git: Git, path: Path) -> list[job_folders.JobFolder]:
    return job_folders.find(job_folders.files_of(git, git.fetch(remote(path))))


def packed(git: Git, path: Path, folder: Path) -> zipfile.ZipFile:
    (only,) = jobs(git, path)
    job_folders.check(only, PackageLimits())
    return zipfile.ZipFile(job_folders.pack(git, only, folder))


def refusal(git: Git, path: Path, folder: Path) -> str:
    """Why the only WebJob in the repository is refused."""
    with pytest.raises(PackageError) as caught:
        packed(git, path, folder)
    return caught.value.code


def test_jobs_are_found_by_folder_in_any_case(git: Git, tmp_path: Path) -> None:
    made = make(
        tmp_path / "r",
        {
            "app_data/Jobs/Triggered/nightly/run.sh": "echo 1",
            "app_data/Jobs/Triggered/nightly/lib/a.txt": "a",
            "app_data/Jobs/Triggered/README.md": "not a job",
            "App_Data/jobs/continuous/worker/run.py": "print(1)",
            "App_Data/jobs/other/x/run.sh": "echo",
            "site/App_Data/jobs/triggered/deep/run.sh": "echo",
        },
    )
    found = [(job.type, job.name, [f.path for f in job.files]) for job in jobs(git, made)]
    assert found == [
        (JobType.CONTINUOUS, "worker", ["run.py"]),
        (JobType.TRIGGERED, "nightly", ["lib/a.txt", "run.sh"]),
    ]


def test_a_commit_tells_who_when_and_why(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r")
    name = commit(made, {JOB + "run.sh": "echo"}, "Add the nightly\n\nBecause.")
    found = job_folders.commit_of(git, git.fetch(remote(made)))
    assert (found.name, found.author) == (name, "Ada Example")
    assert found.message == "Add the nightly\n\nBecause."
    assert found.at is not None


def test_the_same_files_make_the_same_package(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOB + "run.sh": "echo 1", JOB + "b": bytes(range(256)) * 9})
    first = Path(packed(git, made, tmp_path).filename or "").read_bytes()
    commit(made, {"README": "something else"}, "Second")
    opened = packed(git, made, tmp_path)
    assert Path(opened.filename or "").read_bytes() == first
    assert opened.read("b") == bytes(range(256)) * 9
    assert opened.namelist() == ["b", "run.sh"]


def test_only_the_last_commit_of_one_branch_is_fetched(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOB + "run.sh": "echo 1"})
    old = repositories.git(made, "rev-parse", "HEAD")
    commit(made, {JOB + "run.sh": "echo 2"}, "Second")
    repositories.git(made, "branch", "other", old)
    repositories.git(made, "tag", "v1", old)
    new = git.fetch(remote(made))
    assert git.newest(remote(made)) == new != old
    assert git.run("rev-list", "--all").decode().split() == [new]


def test_a_branch_that_is_not_there_is_named(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOB + "run.sh": "echo"})
    for ask in (git.newest, git.fetch):
        with pytest.raises(GitError) as caught:
            ask(remote(made, "mian"))
        assert caught.value.code == "branch"


def test_no_repository_is_told(git: Git, tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        git.fetch(remote(tmp_path / "nothing"))
    assert caught.value.code == "repository"


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("ext::sh -c touch% {mark}", "https"),
        ("file:///etc", "https"),
        ("http://127.0.0.1:9/x.git", "https"),
        ("git://127.0.0.1:9/x.git", "ssh"),
        ("--upload-pack=touch {mark}", "https"),
    ],
)
def test_no_other_way_than_the_one_that_was_checked(
    git: Git, tmp_path: Path, url: str, protocol: str
) -> None:
    mark = tmp_path / "mark"
    for ask in (git.newest, git.fetch):
        with pytest.raises(GitError):
            ask(Remote(url.format(mark=mark), protocol, "main", secret="x"))
    assert not mark.exists()


def test_hooks_and_configuration_of_the_repository_do_nothing(git: Git, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    made = make(tmp_path / "r", {JOB + "run.sh": "echo"})
    script = f"#!/bin/sh\ntouch {mark}\n"
    for name in ("post-checkout", "post-upload-pack", "reference-transaction", "pre-receive"):
        hook = made / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(script)
        hook.chmod(0o755)
    repositories.git(made, "config", "uploadpack.packObjectsHook", f"touch {mark}; ")
    repositories.git(made, "config", "core.fsmonitor", f"touch {mark}; ")
    repositories.git(made, "config", "core.sshCommand", f"touch {mark}; ")
    packed(git, made, tmp_path)
    assert not mark.exists()


def test_filters_and_line_endings_change_nothing(git: Git, tmp_path: Path) -> None:
    made = make(
        tmp_path / "r",
        {
            ".gitattributes": "* filter=evil text eol=crlf export-subst ident\n",
            JOB + "run.sh": b"echo $Id$ $Format:%H$\n",
            JOB + ".gitattributes": "run.sh export-ignore\n",
        },
    )
    assert packed(git, made, tmp_path).read("run.sh") == b"echo $Id$ $Format:%H$\n"


def test_a_link_is_refused(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOB + "run.sh": "echo"})
    os.symlink("/etc/passwd", made / JOB / "link")
    commit(made, {}, "Link")
    assert refusal(git, made, tmp_path) == "link"


def test_a_job_folder_that_is_a_link_is_refused(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {"App_Data/jobs/triggered/README": "x"})
    os.symlink("/etc", made / "App_Data/jobs/triggered/nightly")
    commit(made, {}, "Link")
    assert refusal(git, made, tmp_path) == "link"


def test_a_submodule_is_refused(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOB + "run.sh": "echo"})
    entries = [("100644", "run.sh", blob(made, "echo")), ("160000", "sub", "1" * 40)]
    commit_tree(made, entries, JOB.strip("/"))
    assert refusal(git, made, tmp_path) == "submodule"


@pytest.mark.parametrize("name", ["..", "a\\..\\b", "C:x", "a\nb", ".", "é" * 300])
def test_a_path_that_leads_elsewhere_is_refused(git: Git, tmp_path: Path, name: str) -> None:
    made = make(tmp_path / "r", {"README": "x"})
    content = blob(made, "echo")
    commit_tree(made, [("100644", name, content), ("100644", "run.sh", content)], JOB.strip("/"))
    assert refusal(git, made, tmp_path) in {"unsafe_path", "bad_name"}


def test_folders_that_differ_by_case_are_refused(git: Git, tmp_path: Path) -> None:
    made = make(
        tmp_path / "r",
        {JOB + "run.sh": "echo 1", "app_data/jobs/triggered/Nightly/run.sh": "echo 2"},
    )
    assert refusal(git, made, tmp_path) == "name_clash"


def test_files_that_differ_by_case_are_two(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {JOB + "run.sh": "echo", JOB + "Lib/a": "x", JOB + "lib/A": "y"})
    opened = packed(git, made, tmp_path)
    assert (opened.read("Lib/a"), opened.read("lib/A")) == (b"x", b"y")


def test_a_file_in_large_file_storage_is_refused(git: Git, tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    made = make(tmp_path / "r", {JOB + "run.sh": "echo", JOB + "model.bin": pointer})
    assert refusal(git, made, tmp_path) == "large_file_storage"


def test_a_repository_that_is_too_large_is_given_up(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {"big": os.urandom(9 * MIB), JOB + "run.sh": "echo"})
    with pytest.raises(GitError) as caught:
        git.fetch(remote(made))
    assert caught.value.code == "too_large"


def test_a_huge_file_that_packs_well_is_refused_without_being_read(
    git: Git, tmp_path: Path
) -> None:
    made = make(tmp_path / "r", {JOB + "zeros": bytes(64 * MIB), JOB + "run.sh": "echo"})
    (only,) = jobs(git, made)
    with pytest.raises(PackageError) as caught:
        job_folders.check(only, PackageLimits(total=32 * MIB))
    assert caught.value.code == "too_large"


def test_a_tree_that_grows_without_end_is_given_up(git: Git, tmp_path: Path) -> None:
    made = make(tmp_path / "r", {"README": "x"})
    content = blob(made, "x")
    entries = [("100644", f"file{index:03}", content) for index in range(100)]
    for _ in range(6):
        tree = repositories.tree_of(made, entries)
        entries = [("40000", f"tree{index:03}", tree) for index in range(100)]
    commit_tree(made, entries)
    with pytest.raises(GitError) as caught:
        jobs(git, made)
    assert caught.value.code in {"too_many", "too_large"}


def test_a_slow_git_is_stopped_with_its_helpers(tmp_path: Path) -> None:
    ticks: list[int] = []
    folder = tmp_path / "g"
    folder.mkdir()
    slow = Git(folder, Limits(MIB, 0.5), lambda: ticks.append(1))
    made = tmp_path / "bin"
    made.mkdir()
    (made / "git").write_text("#!/bin/sh\nsleep 60 & sleep 60\n")
    (made / "git").chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{made}:{os.environ['PATH']}")
        with pytest.raises(GitError) as caught:
            slow.init()
    assert caught.value.code == "timeout"


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError) as caught:
        Git(tmp_path, Limits(MIB)).init()
    assert caught.value.code == "missing"


def test_secrets_are_in_files_of_the_owner_alone(git: Git, tmp_path: Path) -> None:
    folder = git.path.parent
    with pytest.raises(GitError):
        git.newest(Remote("https://127.0.0.1:9/x.git", "https", "main", "me", 'to"k\\en'))
    config = folder / "config"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert "extraHeader" in config.read_text()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


FAKE_SSH = """#!/bin/sh
echo "$@" >> {log}
for word; do
  case "$word" in UserKnownHostsFile=*) echo "host ssh-ed25519 AAAA" > {known};; esac
  last="$word"
done
exec sh -c "$last"
"""


def test_ssh_gets_the_key_and_the_known_host_and_nothing_of_the_user(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(tmp_path / "r", {JOB + "run.sh": "echo"})
    folder, log, bin = git.path.parent, tmp_path / "log", tmp_path / "bin"
    bin.mkdir()
    (bin / "ssh").write_text(FAKE_SSH.format(log=log, known=folder / "known_hosts"))
    (bin / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/agent")
    by_ssh = Remote(f"ssh://git@host{made}", "ssh", "main", secret="PRIVATE")
    git.fetch(by_ssh)
    assert "StrictHostKeyChecking=accept-new" in log.read_text()
    assert (folder / "key").read_text() == "PRIVATE\n"
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    assert git.known_hosts == "host ssh-ed25519 AAAA\n"
    git.newest(by_ssh)
    later = log.read_text().splitlines()[-1]
    for option in ("StrictHostKeyChecking=yes", "BatchMode=yes", "IdentityAgent=none"):
        assert option in later
    assert later.startswith("-F /dev/null")
