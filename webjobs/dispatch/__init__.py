"""What people and clients may ask for; pages, API and admin all go through here.

Each function writes the wish and its audit entry in one transaction and tells the workers after
the commit. What cannot be done raises Refused, and then nothing has changed.
"""

from webjobs.dispatch.asking import PORTAL, Actor, Refused, record
from webjobs.dispatch.debugging import (
    check_connectable,
    connect_debugger,
    note_lost,
    start_debugging,
    stop_debugging,
)
from webjobs.dispatch.hooks import add_hook, delete_hook, publish
from webjobs.dispatch.meanwhile import Changed, present
from webjobs.dispatch.runs import run_now, stop_run
from webjobs.dispatch.settings import (
    Conflict,
    SettingChange,
    SettingsConflict,
    change_settings,
    create_app,
    restart,
    set_publishing_password,
)
from webjobs.dispatch.settings_job import parse_settings_of
from webjobs.dispatch.slots import add_slot, cancel_swap, delete_slot, set_plan, swap_slots
from webjobs.dispatch.webjobs import (
    Edit,
    NewWebJob,
    Policy,
    add_webjob,
    delete,
    edit_webjob,
    keep_upload,
    replace_package,
    restore,
    roll_back,
    set_policy,
    set_schedule,
    set_settings_job,
    start,
    state_of,
    stop,
)

__all__ = [
    "PORTAL",
    "Actor",
    "Changed",
    "Conflict",
    "Edit",
    "NewWebJob",
    "Policy",
    "Refused",
    "SettingChange",
    "SettingsConflict",
    "add_hook",
    "add_slot",
    "add_webjob",
    "cancel_swap",
    "change_settings",
    "check_connectable",
    "connect_debugger",
    "create_app",
    "delete",
    "delete_hook",
    "delete_slot",
    "edit_webjob",
    "keep_upload",
    "note_lost",
    "parse_settings_of",
    "present",
    "publish",
    "record",
    "replace_package",
    "restart",
    "restore",
    "roll_back",
    "run_now",
    "set_plan",
    "set_policy",
    "set_publishing_password",
    "set_schedule",
    "set_settings_job",
    "start",
    "start_debugging",
    "state_of",
    "stop",
    "stop_debugging",
    "stop_run",
    "swap_slots",
]
