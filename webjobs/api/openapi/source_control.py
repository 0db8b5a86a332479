"""The webhook of a connected repository, and the repository that an app is pushed to."""

from __future__ import annotations

from webjobs.api.openapi.errors import kudu
from webjobs.api.openapi.parts import TEXT, Node, content, gives, header, operation, query
from webjobs.deploying.webhook import MAX_BODY
from webjobs.runner.git_push import ADVERTISEMENT_TYPE, RESULT_TYPE

_TAG = "Source control"
_BYTES: Node = {"type": "string", "contentMediaType": "application/octet-stream"}


def _text(what: str) -> Node:
    return gives(what) | {"content": content(TEXT, "text/plain")}


def _webhook() -> Node:
    push: Node = {
        "type": "object",
        "required": ["ref"],
        "properties": {"ref": TEXT, "after": TEXT},
        "description": f"What GitHub, GitLab or Gitea send on a push, at most {MAX_BODY} bytes.",
    }
    signatures = [
        header("X-Hub-Signature-256", "HMAC-SHA256 of the body with the secret (GitHub)."),
        header("X-Gitea-Signature", "The same without `sha256=` before it (Gitea)."),
        header("X-Gitlab-Token", "The secret itself (GitLab)."),
    ]
    good = {"200": _text("Nothing has to be done."), "202": _text("A deployment follows.")}
    body: Node = {"required": True, "content": content(push)}
    return operation(
        _TAG,
        "Deploy the connected branch after a push; signed instead of signed in.",
        good,
        kudu("400 403 411 413 429"),
        parameters=signatures,
        body=body,
        security=[],
    )


def paths() -> dict[str, dict[str, Node]]:
    """Path items by address."""
    refs = {"200": gives("Nothing yet.") | {"content": content(_BYTES, ADVERTISEMENT_TYPE)}}
    pushed = {"200": gives("What git shows.") | {"content": content(_BYTES, RESULT_TYPE)}}
    pack: Node = {
        "required": True,
        "content": content(_BYTES, "application/x-git-receive-pack-request"),
    }
    errors = "400 403 404 409 503"
    return {
        "/deploy": {"post": _webhook()},
        "/{repository}.git/info/refs": {
            "get": operation(
                _TAG, "What git asks before a push.", refs, kudu(errors),
                parameters=[query("service", "git-receive-pack.")],
            )
        },
        "/{repository}.git/git-receive-pack": {
            "post": operation(
                _TAG, "Deploy what git pushes: all WebJobs of a commit, or none.", pushed,
                kudu(errors + " 411 413"), body=pack,
            )
        },
    }  # fmt: skip
