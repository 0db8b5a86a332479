"""Kudu's documents; those of Azure Resource Manager hold them as `properties`."""

from __future__ import annotations

from webjobs.api.openapi.parts import (
    ANY_OBJECT,
    BOOLEAN,
    DURATION,
    INTEGER,
    TEXT,
    TIME,
    TIME_OR_NEVER,
    URL,
    Node,
    always,
    list_of,
    or_null,
    ref,
    words,
)
from webjobs.states import CopyStatus, RunStatus

# A run that waits is told as being initialized, as on Azure.
_RUN_STATUS = words(*(status.value for status in RunStatus if status != RunStatus.QUEUED))

RUN: dict[str, Node] = {
    "id": TEXT,
    "name": TEXT,
    "status": _RUN_STATUS,
    "start_time": TIME,
    "end_time": TIME_OR_NEVER,
    "duration": DURATION,
    "output_url": or_null(URL),
    "error_url": or_null(URL),
    "url": URL,
    "job_name": TEXT,
    "trigger": TEXT,
    "exit_code": or_null(INTEGER),
    "arguments": TEXT,
    "instance": {**or_null(TEXT), "description": "The machine on which it ran."},
    "reason": {**or_null(TEXT), "description": "Why it ended as it did, in words."},
    "scheduled_for": {**or_null(TIME), "description": "The occurrence of its schedule."},
    "attempt": {**INTEGER, "description": "1 for the first, more for retries."},
    "attempts": {**INTEGER, "description": "How many there are at most."},
    "previous_attempt": {
        **or_null(TEXT),
        "description": "The id of the run that this one repeats.",
    },
    "next_attempt": {**or_null(TEXT), "description": "The id of the run that repeats this one."},
    "queue_position": {**or_null(INTEGER), "description": "1 is next; null when it does not wait."},
}

COMMON: dict[str, Node] = {
    "name": TEXT,
    "run_command": TEXT,
    "url": URL,
    "extra_info_url": URL,
    "error": {**or_null(TEXT), "description": "What keeps it from running."},
    "using_sdk": BOOLEAN,
    "settings": {**ANY_OBJECT, "description": "settings.job"},
    "next_run": or_null(TIME),
    "reason": {**or_null(TEXT), "description": "Why it is in its status."},
}

TRIGGERED: dict[str, Node] = {
    "type": words("triggered"),
    "latest_run": or_null(ref("Run")),
    "history_url": URL,
    "scheduler_logs_url": or_null(URL),
    **COMMON,
}

CONTINUOUS: dict[str, Node] = {
    "type": words("continuous"),
    "status": words(*(status.value for status in CopyStatus)),
    "detailed_status": {**TEXT, "description": "A line for each instance."},
    "log_url": URL,
    **COMMON,
}

_HOOK: dict[str, Node] = {
    "id": TEXT,
    "event": TEXT,
    "url": {**TEXT, "description": "Without the password that it may have."},
    "insecure_ssl": BOOLEAN,
    "last_status": or_null(words("Success", "Failure")),
    "last_reason": or_null(TEXT),
    "last_datetime": TIME_OR_NEVER,
    "last_context": {**or_null(TEXT), "description": "What was sent last, as JSON."},
}

_NEW_HOOK: Node = {
    "type": "object",
    "required": ["url", "event"],
    "properties": {
        "url": {**URL, "pattern": "^https?://", "maxLength": 2000},
        "event": {**TEXT, "minLength": 1, "maxLength": 100, "examples": ["TriggeredJobFinished"]},
        "insecure_ssl": {**BOOLEAN, "description": "Any certificate will do."},
    },
}

SETTING_VALUES: Node = {
    "type": "object",
    "description": "Values by name; null is what a secret is shown as, and leaves it as it is.",
    "additionalProperties": {"type": ["string", "null"]},
}

SCHEMAS: dict[str, Node] = {
    "Run": always("A run of a triggered WebJob.", **RUN),
    "History": always("Newest first.", runs=list_of(ref("Run"))),
    "TriggeredWebJob": always("A WebJob that runs on demand or on a schedule.", **TRIGGERED),
    "ContinuousWebJob": always("A WebJob that is kept running.", **CONTINUOUS),
    "WebJob": {"oneOf": [ref("TriggeredWebJob"), ref("ContinuousWebJob")]},
    "SettingsJob": {**ANY_OBJECT, "description": "settings.job of a WebJob."},
    "Swagger": always("Swagger 2.0.", swagger=words("2.0"), info=ANY_OBJECT, paths=ANY_OBJECT),
    "SettingValues": SETTING_VALUES,
    "NewSettings": {
        "description": "Values by name, or one setting as `key` and `value`.",
        "type": "object",
        "additionalProperties": {"type": ["string", "boolean", "integer", "null"]},
        "examples": [{"GREETING": "hello"}],
    },
    "NewHook": _NEW_HOOK,
    "Hook": always("Who is told of an event.", **_HOOK),
    "AddedHook": {
        "allOf": [ref("Hook")],
        "type": "object",
        "properties": {"secret": {**TEXT, "description": "Signs what is sent; not shown again."}},
    },
    "HookDelivery": always(
        "A message to a hook, and what became of it.",
        id=TEXT,
        event=TEXT,
        created=TIME,
        attempts=INTEGER,
        delivered=BOOLEAN,
        http_status=or_null(INTEGER),
        reason=or_null(TEXT),
        next_attempt=or_null(TIME),
        payload={**TEXT, "description": "JSON"},
    ),
    "VfsEntry": always(
        "A file or a folder.",
        name=TEXT,
        size=INTEGER,
        mtime=TIME,
        crtime=TIME,
        mime=words("text/plain", "inode/directory"),
        href=URL,
        path=TEXT,
    ),
    "Health": {
        **always(
            "Each part is `ok`, or words that say what is not.",
            status=words("ok", "unavailable"),
            database=TEXT,
            instances=INTEGER,
            beat=TEXT,
            broker=TEXT,
            packages=TEXT,
        ),
    },
}
