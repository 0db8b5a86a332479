"""The addresses of Azure Resource Manager, at the root."""

from __future__ import annotations

from webjobs.api.arm.resources import MAX_PAGE, PAGE
from webjobs.api.openapi.errors import arm
from webjobs.api.openapi.kudu import ARGUMENTS, FILTERS, IDEMPOTENCY_KEY
from webjobs.api.openapi.parts import (
    TEXT,
    Node,
    gives,
    json_body,
    named,
    operation,
    parameter,
    query,
    ref,
)

_TAG = "Azure Resource Manager"
_SUB = "/subscriptions/{sub}"
_GROUP = _SUB + "/resourceGroups/{rg}"
_SITES = "/providers/Microsoft.Web/sites"
_SITE = _GROUP + _SITES + "/{app}"
_SLOTS = (_SITE, _SITE + "/slots/{slot}")
_VERSION = query(
    "api-version",
    "Any will do, but there must be one.",
    {**TEXT, "minLength": 1, "examples": ["2025-05-01"]},
    required=True,
)
_PAGING = [
    query("$top", f"So many on a page; else {PAGE}.", {
        "type": "integer", "minimum": 1, "maximum": MAX_PAGE,
    }),
    query("$skiptoken", "Comes in nextLink."),
]  # fmt: skip
_DONE = {"200": gives("Done.")}


def _operation(
    summary: str,
    good: dict[str, Node],
    errors: str = "404",
    *parameters: Node,
    body: Node | None = None,
) -> Node:
    return operation(
        _TAG, summary, good, arm(errors), parameters=[_VERSION, *parameters], body=body
    )


def _get(summary: str, schema: str) -> dict[str, Node]:
    return {"get": _operation(summary, {"200": gives("It.", ref(schema))})}


def _list(summary: str, of: str, *parameters: Node) -> dict[str, Node]:
    good = {"200": gives("A page.", ref(f"{of}Page"))}
    return {"get": _operation(summary, good, "404", *parameters)}


def _post(summary: str, good: dict[str, Node] | None = None) -> dict[str, Node]:
    return {"post": _operation(summary, good or _DONE, "403 404 409")}


def _delete() -> Node:
    good = _DONE | {"204": gives("There was none.")}
    return _operation("Delete a WebJob, if there is one.", good, "403 404")


def _site() -> dict[str, dict[str, Node]]:
    settings = {"200": gives("Values by name, null for a secret.", ref("AppSettings"))}
    secret = {"200": gives("They.", ref("PublishingCredentials"))}
    put = _operation(
        "Replace all app settings; a secret given as null stays.",
        settings,
        "403 404 409 411 413",
        body=json_body(ref("NewAppSettings")),
    )
    return {
        "": _get("Tell of an app or a slot.", "Site"),
        "/start": _post("Let its WebJobs start again."),
        "/stop": _post("Stop all of its WebJobs."),
        "/restart": _post("Start its continuous WebJobs anew."),
        "/config/appsettings": {"put": put},
        "/config/appsettings/list": _post("Read the app settings.", settings),
        "/config/publishingcredentials/list": _post("Read the webhook password.", secret),
    }


def _swaps() -> dict[str, dict[str, Node]]:
    """Of production and of every other slot."""
    begun = {
        "200": gives("Done."),
        "202": gives("Under way.", Location="Tells the end.", Retry_After="Seconds."),
    }
    swap = _operation(
        "Swap with another slot.", begun, "403 404 409 411 413", body=json_body(ref("NewSwap"))
    )
    return {
        "/slotsswap": {"post": swap},
        "/operationresults/{id}": {
            "get": _operation("Tell how a swap ends.", begun, "404 409"),
        },
    }


def _one_slot() -> dict[str, Node]:
    put = _operation(
        "Make a slot; one that is there stays as it is.",
        {"200": gives("It.", ref("Site"))},
        "403 404 409 411 413",
        body=json_body(ref("NewSlot")),
    )
    return {"put": put, "delete": _operation("Delete a slot.", _DONE, "403 404 409")}


def _webjobs() -> dict[str, dict[str, Node]]:
    where = gives("Started, or waits in the queue.", Location="The address of the run.")
    run = _operation(
        "Run a triggered WebJob.",
        {"200": where},
        "403 404 409 422",
        ARGUMENTS,
        IDEMPOTENCY_KEY,
    )
    job = "/triggeredwebjobs/{name}"
    return {
        "/webjobs": _list("List all WebJobs.", "ArmWebJob", *_PAGING),
        "/webjobs/{name}": _get("Tell of one WebJob.", "ArmWebJob"),
        "/triggeredwebjobs": _list("List triggered WebJobs.", "ArmTriggeredWebJob", *_PAGING),
        job: _get("Tell of one WebJob.", "ArmTriggeredWebJob") | {"delete": _delete()},
        f"{job}/run": {"post": run},
        f"{job}/history": _list("List the runs.", "ArmHistory", *FILTERS, *_PAGING),
        f"{job}/history/{{id}}": _get("Tell of one run.", "ArmHistory"),
        f"{job}/history/{{id}}/stop": _post("Stop a run."),
        "/continuouswebjobs": _list("List continuous WebJobs.", "ArmContinuousWebJob", *_PAGING),
        "/continuouswebjobs/{name}": _get("Tell of one WebJob.", "ArmContinuousWebJob")
        | {"delete": _delete()},
        "/continuouswebjobs/{name}/start": _post("Start a continuous WebJob."),
        "/continuouswebjobs/{name}/stop": _post("Stop a continuous WebJob."),
    }


def paths() -> dict[str, Node]:
    """Path items by address."""
    found = {
        "/subscriptions": _list("List the subscriptions.", "Subscription"),
        "/tenants": _list("List the tenants.", "Tenant"),
        _SUB: _get("Tell of a subscription.", "Subscription"),
        _SUB + "/resourceGroups": _list("List the resource groups.", "ResourceGroup"),
        _GROUP: _get("Tell of a resource group.", "ResourceGroup"),
        _SUB + _SITES: _list("List the apps.", "Site"),
        _GROUP + _SITES: _list("List the apps.", "Site"),
        _SITE + "/slots": _list("List the slots of an app.", "Site"),
        _SITE + "/config/slotConfigNames": _get(
            "Tell which settings stay with their slot.", "SlotConfigNames"
        ),
    }
    for slot in _SLOTS:
        items = _site() | _webjobs() | _swaps()
        found |= {slot + rest: item for rest, item in items.items()}
    found[_SLOTS[1]] |= _one_slot()
    return {path: named(path, item) for path, item in found.items()}


PARAMETERS: dict[str, Node] = {
    "sub": parameter("path", "sub", "A subscription; any will do.", TEXT, required=True),
    "rg": parameter("path", "rg", "A resource group; any will do.", TEXT, required=True),
}
