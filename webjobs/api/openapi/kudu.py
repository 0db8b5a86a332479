"""Kudu's addresses, of production and of each slot, under every prefix that clients use."""

from __future__ import annotations

from webjobs.api.history import MAX_RUNS
from webjobs.api.openapi import debugging, processes, source_control
from webjobs.api.openapi.arm_mode import LOCATION, bare_or
from webjobs.api.openapi.errors import kudu, kudu_json
from webjobs.api.openapi.parts import (
    TEXT,
    TIME,
    Node,
    content,
    gives,
    header,
    json_body,
    list_of,
    named,
    operation,
    parameter,
    query,
    ref,
    words,
)
from webjobs.api.waiting import MAX_SECONDS
from webjobs.models.idempotency import MAX_LENGTH
from webjobs.states import Trigger

SLOTS = ("/scm/{app}", "/scm/{app}/slots/{slot}")
# The last three are older; `{}` is the type of the WebJobs.
_PREFIXES = ("/api/{}webjobs", "/api/{}jobs", "/api/jobs/{}", "/jobs/{}")
_TAG = "Kudu"
_ETAG = header("If-None-Match", "An ETag that the client has.")
_UNCHANGED = gives("Nothing has changed.", ETag="As asked for.")
_DONE = gives("Done.")
_METHODS = ("get", "put", "post", "delete", "patch")
ARGUMENTS = query("arguments", "Arguments of the run, quoted as in a shell.", {
    **TEXT, "examples": ['--since "last monday"'],
})  # fmt: skip
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "Repeated with the same key a request starts no second run.",
    {**TEXT, "maxLength": MAX_LENGTH},
)
FILTERS = [
    query("status", "Only runs in these statuses, with commas between them."),
    query("trigger", "Only runs that this asked for.", words(*(item.value for item in Trigger))),
    query("from", "Only runs that were asked for at this time or later.", TIME),
    query("to", "Only runs that were asked for before this time.", TIME),
]
_PAGING = [
    query("before", "Only runs with a smaller id.", {"type": "integer", "minimum": 1}),
    query("limit", "At most so many.", {"type": "integer", "minimum": 1, "maximum": MAX_RUNS}),
]
_BYTES: Node = {"type": "string", "contentMediaType": "application/octet-stream"}


def _list(what: str, schema: Node) -> Node:
    told = bare_or(list_of(schema), "KuduResources")
    good = {"200": gives(what, told, ETag="Of this state."), "304": _UNCHANGED}
    return operation(_TAG, what, good, kudu(), parameters=[_ETAG, LOCATION])


def _job(schema: Node) -> dict[str, Node]:
    schema = bare_or(schema, "KuduResource")
    good = {"200": gives("The WebJob.", schema, ETag="Of this state."), "304": _UNCHANGED}
    upload: Node = {
        "required": True,
        "description": "A zip, or a single script; the name says what it is. JSON in ARM mode.",
        "content": {
            **content(_BYTES, "application/zip"),
            **content(_BYTES, "application/octet-stream"),
            **content(ref("KuduArmSettings")),
        },
    }
    name = header(
        "Content-Disposition",
        "Names the file.",
        {**TEXT, "examples": ["attachment; filename=job.zip"]},
        required=True,
    )
    return {
        "get": operation(_TAG, "Tell of one WebJob.", good, kudu(), parameters=[_ETAG, LOCATION]),
        "put": operation(
            _TAG,
            "Add a WebJob, or give it new files.",
            {"200": gives("The WebJob.", schema)},
            kudu("403 404 409 411 413"),
            parameters=[name, LOCATION],
            body=upload,
        ),
        "delete": operation(
            _TAG, "Delete a WebJob, if there is one.", {"200": _DONE}, kudu("403 404")
        ),
    }


def _command(summary: str, errors: str = "403 404 409") -> dict[str, Node]:
    return {"post": operation(_TAG, summary, {"200": _DONE}, kudu(errors))}


def _settings_job() -> dict[str, Node]:
    return {
        "get": operation(
            _TAG,
            "Read settings.job.",
            {"200": gives("It.", bare_or(ref("SettingsJob"), "KuduResource"))},
            kudu(),
            parameters=[LOCATION],
        ),
        "put": operation(
            _TAG,
            "Replace settings.job.",
            {"200": _DONE},
            kudu("403 404 409 411 413"),
            parameters=[LOCATION],
            body=json_body(ref("SettingsJob")),
        ),
    }


def _run() -> Node:
    where = "The address of the run."
    wait = query(
        "wait",
        "Answer only when the run has ended, or after so many seconds; at once if too many wait.",
        {"type": "integer", "minimum": 0, "maximum": MAX_SECONDS},
    )
    started = gives(
        "Started, or waits in the queue; the run is told after waiting.", Location=where
    )
    return operation(
        _TAG,
        "Run a triggered WebJob.",
        {
            "200": gives("It has ended meanwhile.", ref("Run"), Location=where),
            "202": started,
        },
        kudu("403 404 409 422"),
        parameters=[ARGUMENTS, wait, IDEMPOTENCY_KEY],
        description="In ARM mode (x-ms-geo-location) started is told by 200 without a body.",
    )


def _history() -> Node:
    runs = bare_or(ref("History"), "KuduResources")
    older = "Where older ones are (next)."
    good = gives("The runs.", runs, ETag="Of this state.", Link=older)
    return operation(
        _TAG,
        "List the runs of a triggered WebJob.",
        {"200": good, "304": _UNCHANGED},
        kudu(),
        parameters=[*FILTERS, *_PAGING, _ETAG, LOCATION],
    )


def _passthrough() -> dict[str, Node]:
    good = {"default": {"description": "What the WebJob answers."}}
    summary = "Pass a request to the web server of a continuous WebJob on WEBJOBS_PORT."
    one = operation(_TAG, summary, good, kudu_json("403 404 411 413"))
    return dict.fromkeys(_METHODS, one)


def _typed() -> dict[str, dict[str, Node]]:
    """What lies below one of _PREFIXES: `{}` and the rest of the address."""
    run = gives("The run.", bare_or(ref("Run"), "KuduResource"))
    return {
        "triggered": {"get": _list("Triggered WebJobs.", ref("TriggeredWebJob"))},
        "continuous": {"get": _list("Continuous WebJobs.", ref("ContinuousWebJob"))},
        "triggered/{name}": _job(ref("TriggeredWebJob")),
        "continuous/{name}": _job(ref("ContinuousWebJob")),
        "triggered/{name}/settings": _settings_job(),
        "continuous/{name}/settings": _settings_job(),
        "triggered/{name}/run": {"post": _run()},
        "triggered/{name}/history": {"get": _history()},
        "triggered/{name}/history/{id}": {
            "get": operation(_TAG, "Tell of one run.", {"200": run}, kudu(), parameters=[LOCATION])
        },
        "triggered/{name}/history/{id}/stop": _command("Stop a run."),
        "continuous/{name}/start": _command("Start a continuous WebJob."),
        "continuous/{name}/stop": _command("Stop a continuous WebJob."),
        "continuous/{name}/passthrough": _passthrough(),
        "continuous/{name}/passthrough/{path}": _passthrough(),
    }


def _app_settings() -> dict[str, Node]:
    values = gives("Values by name, null for a secret.", ref("SettingValues"))
    return {
        "get": operation(_TAG, "Read the app settings.", {"200": values}, kudu("403 404")),
        "post": operation(
            _TAG,
            "Add or change app settings; the others stay.",
            {"204": _DONE},
            kudu("403 404 409 411 413"),
            body=json_body(ref("NewSettings")),
        ),
    }


def _app_setting() -> dict[str, Node]:
    value = gives("The value, null for a secret.", {"type": ["string", "null"]})
    errors = kudu_json("403 404")
    return {
        "get": operation(_TAG, "Read one app setting.", {"200": value}, errors),
        "delete": operation(_TAG, "Delete an app setting, if it is there.", {"204": _DONE}, errors),
    }


def _hooks() -> dict[str, dict[str, Node]]:
    one = {"200": gives("The hook.", ref("Hook"))}
    log = {"200": gives("The newest deliveries.", list_of(ref("HookDelivery")))}
    return {
        "/api/hooks": {
            "get": operation(
                _TAG,
                "List the hooks.",
                {"200": gives("All hooks.", list_of(ref("Hook")))},
                kudu("403 404"),
            ),
            "post": operation(
                _TAG,
                "Add a hook that is told of an event.",
                {"201": gives("The hook; its secret when it is new.", ref("AddedHook"))},
                kudu("403 404 409 411 413"),
                body=json_body(ref("NewHook")),
            ),
        },
        "/api/hooks/{id}": {
            "get": operation(_TAG, "Tell of one hook.", one, kudu_json("403 404")),
            "delete": operation(
                _TAG, "Remove a hook, if it is there.", {"200": _DONE}, kudu_json("403 404")
            ),
        },
        "/api/hooks/{id}/deliveries": {
            "get": operation(_TAG, "What became of the messages.", log, kudu_json("403 404"))
        },
        "/api/hooks/publish/{event}": {
            "post": operation(
                _TAG,
                "Send any JSON to all hooks of an event.",
                {"200": _DONE},
                kudu("403 404 411 413"),
                body=json_body({}),
            )
        },
    }


def _vfs() -> dict[str, Node]:
    text = content(TEXT, "text/plain")
    good: dict[str, Node] = {
        "200": gives("A file, or what a folder holds.", ETag="Of a file's state.")
        | {"content": {**text, **content(list_of(ref("VfsEntry")))}},
        "206": gives("A part of a file.", Content_Range="Which.") | {"content": text},
        "304": _UNCHANGED,
        "307": gives("It is a folder.", Location="The same address with a slash."),
        "416": gives("Behind the end.", Content_Range="How long it is.") | {"content": text},
    }
    asked = [
        header("Range", "One range of bytes.", {**TEXT, "examples": ["bytes=0-99"]}),
        header("If-Range", "The range, if this is still the file's ETag; else all of it."),
        _ETAG,
    ]
    summary = "Read a log file below data/jobs/, or list a folder (with a slash at the end)."
    return {"get": operation(_TAG, summary, good, kudu_json(), parameters=asked)}


def _zip() -> dict[str, Node]:
    body: Node = {"required": True, "content": content(_BYTES, "application/zip")}
    summary = "Give every WebJob below App_Data/jobs/ in a zip new files."
    errors = kudu("403 404 409 411 413")
    return {"put": operation(_TAG, summary, {"200": _DONE}, errors, body=body)}


def _others() -> dict[str, dict[str, Node]]:
    """Where there is one address, or several of which the first is the one to use."""
    swagger = gives("How to run each triggered WebJob.", ref("Swagger"))
    return {
        "/api/webjobs /api/jobs /jobs": {"get": _list("All WebJobs.", ref("WebJob"))},
        "/api/triggeredwebjobsswagger": {
            "get": operation(_TAG, "Swagger 2.0, as Kudu has it.", {"200": swagger}, kudu())
        },
        "/api/settings /settings": _app_settings(),
        "/api/settings/{key} /settings/{key}": _app_setting(),
        **_hooks(),
        **debugging.paths(),
        **source_control.paths(),
        **processes.paths(),
        "/api/vfs /vfs": _vfs(),
        "/api/vfs/{path} /vfs/{path}": _vfs(),
        "/api/zip/site/wwwroot": _zip(),
        "/api/zip/site/wwwroot/{path}": _zip(),
    }


def paths() -> dict[str, Node]:
    """Path items by address; the other names of an address are marked as deprecated."""
    found: dict[str, Node] = {}
    for below, item in _others().items():
        for index, path in enumerate(below.split()):
            _add(found, path, item, is_other=index > 0)
    for rest, item in _typed().items():
        type, slash, end = rest.partition("/")
        for index, prefix in enumerate(_PREFIXES):
            _add(found, prefix.format(type) + slash + end, item, is_other=index > 0)
    return found


def _add(found: dict[str, Node], path: str, item: dict[str, Node], *, is_other: bool) -> None:
    if is_other:
        item = {method: {**one, "deprecated": True} for method, one in item.items()}
    for slot in SLOTS:
        found[slot + path] = named(slot + path, item)


PARAMETERS: dict[str, Node] = {
    name: parameter("path", name, what, TEXT, required=True)
    for name, what in {
        "app": "The name of the app.",
        "slot": "The name of the slot, such as staging.",
        "name": "The name of the WebJob.",
        "id": "The id of the run, the hook, the process or the debug session.",
        "connection": "The id of a debugger's connection.",
        "key": "The name of the app setting.",
        "event": "The name of the event.",
        "repository": "The name of the app once more.",
        "path": "The rest of the address, with slashes.",
    }.items()
}
