"""Debug sessions and the connections of debuggers."""

from __future__ import annotations

from webjobs.api.openapi.errors import kudu_json
from webjobs.api.openapi.parts import (
    INTEGER,
    TEXT,
    TIME,
    Node,
    always,
    content,
    gives,
    json_body,
    list_of,
    operation,
    query,
    ref,
    words,
)
from webjobs.models.debugging import DEFAULT_MINUTES, LONGEST_MINUTES
from webjobs.runner.debugger import Language

_TAG = "Remote debugging"
_BYTES: Node = {"type": "string", "contentMediaType": "application/octet-stream"}
_DONE = gives("Done.")

SCHEMAS: dict[str, Node] = {
    "DebugSession": always(
        "A continuous WebJob under a debugger on one instance.",
        id=TEXT,
        instance=TEXT,
        instance_id=TEXT,
        language=words(*(language.value for language in Language)),
        state=words("Starting", "Listening", "Connected", "Ending", "Ended"),
        requested_by={**TEXT, "description": "Only they may connect."},
        requested_at=TIME,
        until=TIME,
        remaining_seconds=INTEGER,
        folder={**TEXT, "description": "Where the script is on the instance."},
        connections=INTEGER,
        reason={**TEXT, "description": "Why it has ended, in words."},
    ),
    "DebugRequest": {
        "type": "object",
        "properties": {
            "instance": {**TEXT, "description": "By its name; any one that runs it without."},
            "minutes": {
                "type": "number",
                "description": f"{DEFAULT_MINUTES} without it.",
                "exclusiveMinimum": 0,
                "maximum": LONGEST_MINUTES,
            },
        },
    },
    "DebugConnection": always("A connection to a debugger.", id=TEXT),
}


def _connection() -> dict[str, Node]:
    after = query("after", "The number that came with the bytes before.", {
        "type": "integer", "minimum": 0,
    })  # fmt: skip
    number = query("number", "Counts from 1.", {"type": "integer", "minimum": 1}, required=True)
    told = "The number to ask on from."
    came = gives("Bytes of the debugger.", X_Debug_After=told)
    came["content"] = content(_BYTES, "application/octet-stream")
    nothing = gives("Nothing has come for a while.", X_Debug_After=told)
    errors = kudu_json("403 404 409 410")
    body = {"required": True, "content": content(_BYTES, "application/octet-stream")}
    return {
        "get": operation(
            _TAG, "Receive.", {"200": came, "204": nothing}, errors, parameters=[after]
        ),
        "post": operation(
            _TAG, "Send.", {"204": _DONE}, kudu_json("403 404 409 410 411 413"),
            parameters=[number], body=body,
        ),
        "delete": operation(_TAG, "Close.", {"204": _DONE}, errors),
    }  # fmt: skip


def paths() -> dict[str, dict[str, Node]]:
    """Path items below a slot's address."""
    session = {"200": gives("The session.", ref("DebugSession"))}
    all_of_them = {"200": gives("Those that have not ended.", list_of(ref("DebugSession")))}
    opened = {"201": gives("The connection.", ref("DebugConnection"))}
    start = operation(
        _TAG,
        "Start a continuous WebJob anew under a debugger, for a time.",
        session,
        kudu_json("403 404 409 411 413"),
        body={**json_body(ref("DebugRequest")), "required": False},
    )
    errors = kudu_json("403 404")
    found: dict[str, dict[str, Node]] = {}
    for type in ("triggered", "continuous"):
        base = f"/api/{type}webjobs/{{name}}/debug"
        found |= {
            base: {
                "get": operation(_TAG, "List the sessions.", all_of_them, errors),
                "post": start,
            },
            base + "/{id}": {
                "get": operation(_TAG, "Tell of one session.", session, errors),
                "delete": operation(_TAG, "End a session.", {"204": _DONE}, errors),
            },
            base + "/{id}/connections": {
                "post": operation(
                    _TAG, "Connect to the debugger.", opened, kudu_json("403 404 409 410")
                )
            },
            base + "/{id}/connections/{connection}": _connection(),
        }
    return found
