"""The documents of Azure Resource Manager: an envelope around Kudu's."""

from __future__ import annotations

from webjobs.api.openapi.parts import (
    ANY_OBJECT,
    BOOLEAN,
    TEXT,
    TIME,
    URL,
    Node,
    always,
    list_of,
    or_null,
    ref,
    words,
)
from webjobs.api.openapi.schemas import CONTINUOUS, RUN, TRIGGERED


def _resource(what: str, type: str, properties: Node, **more: Node) -> Node:
    kind: Node = {"type": "string", "examples": [f"Microsoft.Web/{type}"]}
    return always(what, id=TEXT, name=TEXT, type=kind, **more, properties=properties)


def _below(what: str, type: str, properties: Node) -> Node:
    return _resource(what, type, properties, kind=or_null(TEXT))


def _page(of: str) -> Node:
    link = {**or_null(URL), "description": "Where the next page is."}
    return always(f"A page of {of}.", value=list_of(ref(of)), nextLink=link)


_LATEST: dict[str, Node] = {"latest_run": or_null(ref("ArmRun")), "web_job_type": TEXT}
_TRIGGERED = TRIGGERED | _LATEST | {"publicNetworkAccess": TEXT, "storageAccountRequired": BOOLEAN}
_CONTINUOUS = CONTINUOUS | {"web_job_type": TEXT}

_ONE: dict[str, Node] = {
    "ArmTriggeredWebJob": _below(
        "A triggered WebJob.", "sites/triggeredwebjobs", always("", **_TRIGGERED)
    ),
    "ArmContinuousWebJob": _below(
        "A continuous WebJob.", "sites/continuouswebjobs", always("", **_CONTINUOUS)
    ),
    "ArmWebJob": {"anyOf": [ref("ArmTriggeredWebJob"), ref("ArmContinuousWebJob")]},
    "ArmHistory": _below(
        "An entry of the history: one run.",
        "sites/triggeredwebjobs/history",
        always("", runs=list_of(ref("ArmRun"))),
    ),
    "Site": _resource(
        "An app, or one of its slots.",
        "sites",
        always(
            "",
            name=TEXT,
            state=words("Running", "Stopped"),
            enabled=BOOLEAN,
            availabilityState=TEXT,
            resourceGroup=TEXT,
            hostNames=list_of(TEXT),
            defaultHostName=TEXT,
            enabledHostNames=list_of(TEXT),
            repositorySiteName=TEXT,
        ),
        kind=TEXT,
        location=TEXT,
    ),
    "Subscription": always(
        "The only one; any id finds it.",
        id=TEXT,
        subscriptionId=TEXT,
        tenantId=TEXT,
        displayName=TEXT,
        state=words("Enabled"),
    ),
    "Tenant": always("The only one.", id=TEXT, tenantId=TEXT, displayName=TEXT),
    "ResourceGroup": always(
        "Any name will do.", id=TEXT, name=TEXT, type=TEXT, location=TEXT, properties=ANY_OBJECT
    ),
}

SCHEMAS: dict[str, Node] = {
    "ArmRun": always(
        "A run, under the names of Kudu and of the SDKs.",
        **RUN | {"end_time": or_null(TIME), "web_job_id": TEXT, "web_job_name": TEXT},
    ),
    **_ONE,
    **{f"{name}Page": _page(name) for name in _ONE},
    "AppSettings": _resource("The app settings.", "sites/config", ref("SettingValues")),
    "NewAppSettings": {
        "type": "object",
        "required": ["properties"],
        "properties": {"properties": ref("NewSettings")},
    },
    "SlotConfigNames": _resource(
        "The settings that stay with their slot.",
        "sites/config",
        always(
            "",
            appSettingNames=list_of(TEXT),
            connectionStringNames=list_of(TEXT),
            azureStorageConfigNames=list_of(TEXT),
        ),
    ),
    "NewSwap": {
        "type": "object",
        "required": ["targetSlot"],
        "properties": {"targetSlot": TEXT},
    },
    "NewSlot": {
        "type": "object",
        "properties": {
            "properties": {
                "type": "object",
                "properties": {
                    "cloningInfo": {
                        "type": "object",
                        "description": "The slot whose settings the new one gets.",
                        "properties": {"sourceWebAppId": TEXT},
                    }
                },
            }
        },
    },
    "PublishingCredentials": _resource(
        "What webhooks and publishers sign in with.",
        "sites/publishingcredentials",
        always(
            "",
            name=TEXT,
            publishingUserName=TEXT,
            publishingPassword=TEXT,
            scmUri=TEXT,
        ),
    ),
}
