"""The tables: wishes of people, facts of executions."""

from webjobs.models.app import App, Membership, Role, Slot
from webjobs.models.audit import AuditEntry
from webjobs.models.continuous import Copy
from webjobs.models.debugging import DebugSession
from webjobs.models.hook import Hook, HookDelivery
from webjobs.models.idempotency import IdempotencyKey
from webjobs.models.instance import Beat, Instance
from webjobs.models.lease import Lease
from webjobs.models.log import Log, LogChunk
from webjobs.models.package import Package, PackageFile
from webjobs.models.run import Occurrence, Run
from webjobs.models.setting import AppSetting, EngineSettings, engine_settings
from webjobs.models.source import Deployment, SourceConnection
from webjobs.models.swap import Swap
from webjobs.models.throttle import Throttle
from webjobs.models.token import ApiToken
from webjobs.models.version import PackageVersion
from webjobs.models.webjob import Schedule, WebJob

__all__ = [
    "ApiToken",
    "App",
    "AppSetting",
    "AuditEntry",
    "Beat",
    "Copy",
    "DebugSession",
    "Deployment",
    "EngineSettings",
    "Hook",
    "HookDelivery",
    "IdempotencyKey",
    "Instance",
    "Lease",
    "Log",
    "LogChunk",
    "Membership",
    "Occurrence",
    "Package",
    "PackageFile",
    "PackageVersion",
    "Role",
    "Run",
    "Schedule",
    "Slot",
    "SourceConnection",
    "Swap",
    "Throttle",
    "WebJob",
    "engine_settings",
]
