"""Commands that call a WebJob, ready to be pasted: every name and argument quoted for its tool.

None holds a secret: each reads it from the environment, where the reader puts it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

PASSWORD = "WEBJOBS_PASSWORD"  # noqa: S105
TOKEN = "WEBJOBS_TOKEN"  # noqa: S105
# PowerShell takes typographic quotation marks for straight ones.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


@dataclass(frozen=True)
class Target:
    """A WebJob as its callers know it."""

    url: str  # of the WebJob in Kudu's API
    user: str  # of the publishing credentials
    root: str  # of the portal
    app: str
    slot: str | None  # None for production
    type: str
    name: str
    person: str  # whose API token `az` signs in with


@dataclass(frozen=True)
class Call:
    """One request: `run`, with a query."""

    action: str
    query: dict[str, str] = field(default_factory=dict)


def powershell_quote(text: str) -> str:
    """A text of PowerShell in which nothing is replaced."""
    return "'" + _POWERSHELL_QUOTES.sub(r"\1\1", text) + "'"


def curl(target: Target, call: Call) -> str:
    """For a POSIX shell."""
    words = [
        "curl",
        "-i",
        "--fail-with-body",
        "-u",
        f'{shlex.quote(target.user + ":")}"${PASSWORD}"',
    ]
    words += ["-X", "POST"]
    if call.query:
        words.append("-G")
    for name, value in call.query.items():
        words += ["--data-urlencode", shlex.quote(f"{name}={value}")]
    return " ".join([*words, shlex.quote(f"{target.url}/{call.action}")])


def powershell(target: Target, call: Call) -> str:
    """For Windows PowerShell 5.1 and PowerShell 7."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in call.query.items())
    url = f"{target.url}/{call.action}" + (f"?{query}" if query else "")
    pair = f"{powershell_quote(target.user + ':')} + $env:{PASSWORD}"
    return "\n".join(
        [
            f"$pair = [Text.Encoding]::UTF8.GetBytes({pair})",
            '$headers = @{ Authorization = "Basic $([Convert]::ToBase64String($pair))" }',
            f"Invoke-RestMethod -Method Post -Headers $headers -Uri {powershell_quote(url)}",
        ]
    )


def python(target: Target, call: Call) -> str:
    """For Python 3 without any package."""
    url = repr(f"{target.url}/{call.action}")
    if call.query:
        pairs = ", ".join(f"{name!r}: {value!r}" for name, value in call.query.items())
        url += f' + "?" + urllib.parse.urlencode({{{pairs}}})'
    return "\n".join(
        [
            "import base64, os, urllib.parse, urllib.request",
            "",
            f'pair = {target.user + ":"!r} + os.environ["{PASSWORD}"]',
            f'request = urllib.request.Request({url}, method="POST")',
            "basic = base64.b64encode(pair.encode()).decode()",
            'request.add_header("Authorization", "Basic " + basic)',
            "with urllib.request.urlopen(request) as answer:",
            '    print(answer.status, answer.headers["Location"], answer.read().decode())',
        ]
    )


def az_setup(target: Target) -> str:
    """Sign in once; `az` keeps it."""
    return "\n".join(
        [
            f"az cloud register -n portal --endpoint-resource-manager {shlex.quote(target.root)}",
            "az cloud set -n portal",
            "az config set core.instance_discovery=false",
            f"az login --service-principal --tenant portal -u {shlex.quote(target.person)}"
            f' --password="${TOKEN}"',
        ]
    )


def az(target: Target, call: Call) -> str:
    """For a POSIX shell, after `az_setup`. Azure's command takes no arguments for a run."""
    words = ["az webapp webjob", target.type, call.action, "-g any", "-n", shlex.quote(target.app)]
    if target.slot:
        words += ["--slot", shlex.quote(target.slot)]
    return " ".join([*words, "-w", shlex.quote(target.name)])


def address_with_credentials(target: Target, call: Call, placeholder: str) -> str:
    """For services that know nothing but an address."""
    parts = urlsplit(f"{target.url}/{call.action}")
    login = f"{quote(target.user, safe='')}:{placeholder}"
    return parts._replace(netloc=f"{login}@{parts.netloc}", query=urlencode(call.query)).geturl()
