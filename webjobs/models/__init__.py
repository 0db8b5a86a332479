"""The tables: wishes of people, facts of executions."""

from webjobs.models.app import App, Membership, Role, Slot
from webjobs.models.audit import AuditEntry
from webjobs.models.continuous import Copy
from webjobs.models.instance import Beat, Instance
from webjobs.models.log import Log, LogChunk
from webjobs.models.package import Package
from webjobs.models.run import Occurrence, Run
from webjobs.models.setting import AppSetting, EngineSettings, engine_settings
from webjobs.models.webjob import Schedule, WebJob

__all__ = [
    "App",
    "AppSetting",
    "AuditEntry",
    "Beat",
    "Copy",
    "EngineSettings",
    "Instance",
    "Log",
    "LogChunk",
    "Membership",
    "Occurrence",
    "Package",
    "Role",
    "Run",
    "Schedule",
    "Slot",
    "WebJob",
    "engine_settings",
]
