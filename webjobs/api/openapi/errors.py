"""How each family of addresses tells what went wrong."""

from __future__ import annotations

from collections.abc import Mapping

from webjobs.api.openapi.parts import INTEGER, Node, always, content, list_of, ref, words
from webjobs.api.openapi.parts import TEXT as STRING

_WHAT = {
    "400": "The request cannot be read, or asks for something that does not exist.",
    "401": "Nobody is named, or the secret is wrong.",
    "403": "The caller's role is too low.",
    "404": "There is no such thing, or it is not for this caller.",
    "405": "Not with this method.",
    "409": "Not now: the message says why.",
    "410": "It is over: the message says why.",
    "411": "The server cannot tell where the body ends; send a Content-Length.",
    "413": "More than is accepted here.",
    "422": "The Idempotency-Key was used with other arguments.",
    "429": "Signing in failed too often.",
    "500": "A fault of the portal, which is in its own log.",
    "503": "The database, the storage or the queue does not answer.",
}
_HEADERS = {
    "401": ("WWW-Authenticate", "How to sign in."),
    "405": ("Allow", "What may be sent."),
    "429": ("Retry-After", "Seconds until the next try is looked at."),
}
# What any address may answer.
_ALWAYS = ("400", "401", "429", "500", "503")
_KUDU_TEXT = frozenset({"400", "401", "409", "411", "413", "422"})

SCHEMAS: dict[str, Node] = {
    "KuduError": always(
        "What went wrong, in Kudu's shape.",
        Message={**STRING, "description": "For people."},
        Code={**STRING, "description": "For programs."},
    ),
    "ArmError": always(
        "What went wrong, in both shapes that clients of Azure Resource Manager read.",
        error=always("", code=STRING, message=STRING),
        Code=STRING,
        Message=STRING,
    ),
    "OAuthError": always(
        "What went wrong, as OAuth 2.0 tells it.",
        error=words(
            "invalid_client",
            "invalid_request",
            "server_error",
            "temporarily_unavailable",
            "unsupported_grant_type",
        ),
        error_description=STRING,
        error_codes=list_of(INTEGER),
    ),
}


def _response(status: str, body: Mapping[str, Node] | None) -> Node:
    found: Node = {"description": _WHAT[status]}
    if status in _HEADERS:
        name, what = _HEADERS[status]
        found["headers"] = {name: {"description": what, "schema": STRING, "required": True}}
    if body is not None:
        found["content"] = dict(body)
    return found


def _kudu_body(status: str) -> Mapping[str, Node] | None:
    if status == "404":
        return None
    if status in _KUDU_TEXT:
        return content(STRING, "text/plain")
    return content(ref("KuduError"))


RESPONSES: dict[str, Node] = {
    **{f"Kudu{status}": _response(status, _kudu_body(status)) for status in _WHAT},
    **{f"KuduJson{status}": _response(status, content(ref("KuduError"))) for status in _WHAT},
    **{f"Arm{status}": _response(status, content(ref("ArmError"))) for status in _WHAT},
    **{f"Identity{status}": _response(status, content(ref("OAuthError"))) for status in _WHAT},
}


def _errors(family: str, statuses: str) -> dict[str, Node]:
    found = sorted({*_ALWAYS, *statuses.split()})
    return {status: {"$ref": f"#/components/responses/{family}{status}"} for status in found}


def kudu(statuses: str = "404") -> dict[str, Node]:
    """Text where a person reads it, nothing for 404, else JSON."""
    return _errors("Kudu", statuses)


def kudu_json(statuses: str = "404") -> dict[str, Node]:
    """JSON throughout, as Kudu does in some places."""
    return _errors("KuduJson", statuses)


def arm(statuses: str = "404") -> dict[str, Node]:
    return _errors("Arm", statuses)


def identity(statuses: str = "") -> dict[str, Node]:
    return _errors("Identity", statuses)
