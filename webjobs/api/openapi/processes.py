"""The processes of the WebJobs, as Kudu's process explorer tells of them."""

from __future__ import annotations

from webjobs.api.openapi.arm_mode import LOCATION, bare_or
from webjobs.api.openapi.errors import kudu_json
from webjobs.api.openapi.parts import (
    BOOLEAN,
    INTEGER,
    TEXT,
    TIME,
    URL,
    Node,
    always,
    gives,
    list_of,
    operation,
    or_null,
    query,
    ref,
)

_TAG = "Kudu"
_BELOW = ("/api/processes", "/api/diagnostics/processes", "/diagnostics/processes")

SCHEMAS: dict[str, Node] = {
    "Process": always(
        "The process that was started for a run or for a copy of a continuous WebJob.",
        id={**INTEGER, "description": "Its number on its machine."},
        name={**TEXT, "description": "The script that it was started for."},
        href=URL,
        start_time=or_null(TIME),
        is_scm_site=BOOLEAN,
        is_webjob=BOOLEAN,
        description={**TEXT, "examples": ["WebJob: nightly, Type: triggered"]},
        instance={**TEXT, "description": "The name of its instance."},
        instance_id={**TEXT, "description": "What tells instances of one name apart."},
        webjob_url=URL,
        run_url={**or_null(URL), "description": "The run; null for a continuous WebJob."},
    )
}


def paths() -> dict[str, dict[str, Node]]:
    """Path items by address."""
    all_of_them = {
        "200": gives("The processes.", bare_or(list_of(ref("Process")), "KuduResources"))
    }
    one = {"200": gives("The process.", bare_or(ref("Process"), "KuduResource"))}
    which = query("instance", "Its instance_id; without it the first process of this number.")
    listed = operation(
        _TAG, "List the processes of WebJobs.", all_of_them, kudu_json(), parameters=[LOCATION]
    )
    told = operation(_TAG, "Tell of one process.", one, kudu_json(), parameters=[which, LOCATION])
    return {
        " ".join(_BELOW): {"get": listed},
        " ".join(f"{path}/{{id}}" for path in _BELOW): {"get": told},
    }
