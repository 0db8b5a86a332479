"""What GitHub, GitLab and Gitea send on a push: whose it is, and what it asks for."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from webjobs.deploying.asking import request
from webjobs.dispatch import Actor
from webjobs.models import SourceConnection
from webjobs.states import DeploymentTrigger

# A push of thousands of commits is told in a few MiB.
MAX_BODY = 5 * 1024 * 1024
_SIGNED = ("X-Hub-Signature-256", "X-Gitea-Signature")
_EVENTS = ("X-GitHub-Event", "X-Gitea-Event", "X-Gitlab-Event")
_PUSHES = frozenset({"push", "Push Hook"})


class BadPayload(Exception):
    """The body is not what these senders send."""


@dataclass(frozen=True)
class Answer:
    """202 when something follows, 200 when nothing has to."""

    status: int
    words: str


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether the sender knows `secret`; takes the same time however wrong it is."""
    for name in _SIGNED:
        if name in headers:
            shown = headers[name].strip().lower().removeprefix("sha256=")
            expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            return hmac.compare_digest(shown.encode(), expected.encode())
    token = headers.get("X-Gitlab-Token", "")
    return hmac.compare_digest(token.encode(), secret.encode())


def receive(source: SourceConnection, headers: Mapping[str, str], body: bytes) -> Answer:
    """Ask for a deployment when the push was to the branch. Raises BadPayload.

    Sent again it does no harm: what waits already is not asked for twice, and a commit that was
    deployed is not fetched again.
    """
    event = next((headers[name] for name in _EVENTS if name in headers), "push")
    if event == "ping":
        return Answer(200, "The webhook works.")
    if event not in _PUSHES:
        return Answer(200, "Only pushes are deployed. Nothing to do.")
    pushed = _payload(body, headers.get("Content-Type", ""))
    ref, commit = pushed.get("ref"), pushed.get("after")
    if not isinstance(ref, str):
        raise BadPayload
    if ref != f"refs/heads/{source.branch}":
        return Answer(200, f"Only the branch {source.branch} is deployed. Nothing to do.")
    if isinstance(commit, str) and commit and set(commit) == {"0"}:
        return Answer(200, "The branch was deleted. Nothing to do.")
    if commit and commit == source.commit:
        return Answer(200, "This commit was deployed already. Nothing to do.")
    made = request(source, DeploymentTrigger.WEBHOOK, Actor(user=None, name="Webhook"))
    return Answer(202, f"Deployment {made.pk} follows.")


def _payload(body: bytes, type: str) -> dict[str, object]:
    try:
        text = body.decode()
        if type.startswith("application/x-www-form-urlencoded"):
            text = parse_qs(text, max_num_fields=10).get("payload", [""])[0]
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise BadPayload from None
    if not isinstance(value, dict):
        raise BadPayload
    return value
