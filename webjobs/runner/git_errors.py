"""What git says when something fails, in words that tell what to do."""

from __future__ import annotations

import re

from webjobs.reasons import Reason, gettext_noop
from webjobs.runner.refusal import shown

MISSING = gettext_noop(
    "git is not installed on the machine that was asked. Install it there, such as with "
    "apt-get install git."
)
TIMEOUT = gettext_noop(
    "git did not end within %(seconds)d seconds and was stopped. Try again; if it stays so, look "
    "at the size of the repository and at the network."
)
TOO_LARGE = gettext_noop(
    "The repository is larger than the %(most)d MiB that are fetched. Keep large files elsewhere, "
    "or raise MAX_UPLOAD_MB."
)
TOO_MUCH = gettext_noop(
    "The commit has more files than are looked through. Keep the WebJobs in a repository of their "
    "own."
)
OTHER = gettext_noop("git failed: %(what)s")

# By code: what git, curl or ssh write, and the sentence for it; the first that is found counts.
_KNOWN: list[tuple[str, str, str]] = [
    (
        "host_key",
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
        gettext_noop(
            "The host shows another key than the known one. If its key was changed on purpose, "
            "remove the known host key in the settings of the connection; otherwise somebody may "
            "be in between."
        ),
    ),
    (
        "key",
        r"Permission denied \(|Load key|Too many authentication failures",
        gettext_noop(
            "The host does not accept the deploy key. Add the public key to the repository's "
            "deploy keys; reading is enough."
        ),
    ),
    (
        "credentials",
        r"Authentication failed|could not read (Username|Password)|terminal prompts disabled"
        r"|returned error: 40[13]|HTTP Basic: Access denied",
        gettext_noop(
            "The repository asks for credentials, or does not accept these. Enter a token that may "
            "read it."
        ),
    ),
    (
        "certificate",
        r"certificate|SSL|TLS|gnutls",
        gettext_noop(
            "The host's certificate is not trusted: %(what)s. For an authority of your own set "
            "GIT_SSL_CAINFO for the portal."
        ),
    ),
    (
        "unreachable",
        r"Could not resolve host|Failed to connect|Connection (refused|timed out|reset)|No route"
        r"|Network is unreachable|Connection (to \S+ )?closed|Broken pipe|Operation too slow"
        r"|Empty reply|timed out",
        gettext_noop("The host cannot be reached: %(what)s. Check the address and the network."),
    ),
    (
        "timeout",
        r"signal (24|9)\b",
        gettext_noop("git took more of the machine than it may. The repository is too large."),
    ),
    (
        "redirect",
        r"unable to update url base from redirection|returned error: 30[1278]",
        gettext_noop(
            "The host sends git to another address, which is not followed. Enter the "
            "repository's present address."
        ),
    ),
    (
        "branch",
        r"couldn't find remote ref|no such branch",
        gettext_noop("The repository has no such branch."),
    ),
    (
        "repository",
        r"[Rr]epository.*not found|does not appear to be a git repository|returned error: 404"
        r"|dubious ownership|not a git repository|[Rr]epository.*does not exist"
        r"|valid repository name|Could not read from remote repository",
        gettext_noop("There is no repository at this address, or it is not for these credentials."),
    ),
]


class GitError(Reason):
    """Something that git could not do."""


def from_output(output: bytes, most: int) -> GitError:
    """The reason in what git wrote to its error stream; `most` is the limit in bytes."""
    text = output.decode("utf-8", "replace")
    if re.search(r"File too large|signal 25\b|exceeds maximum allowed size", text):
        return GitError("too_large", TOO_LARGE, most=most // 1024**2)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for code, pattern, sentence in _KNOWN:
        for line in lines:
            if re.search(pattern, line):
                what = {"what": _told(line)} if "%(what)s" in sentence else {}
                return GitError(code, sentence, **what)
    return GitError("other", OTHER, what=_told(_first(lines)))


def _first(lines: list[str]) -> str:
    """What git says first of all; later lines only follow from it."""
    lines = [line for line in lines if not line.startswith(("signal ", "File too"))]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))]
    return (fatal or lines or ["no reason given"])[0]


def _told(line: str) -> str:
    return shown(re.sub(r"^(fatal|error): ", "", line)).rstrip(".")
