"""Addresses of the pages. Every page of an app exists for production and for each other slot."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.cache import cache_control
from django.views.i18n import JavaScriptCatalog, set_language

from webjobs.api.calling import page as calling
from webjobs.views import (
    add,
    apps,
    bulk,
    commands,
    configuration,
    debugging,
    deployment,
    drafts,
    edit,
    find,
    help,
    history,
    instances,
    output,
    properties,
    runs,
    search,
    setting_changes,
    settings,
    slots,
    undo,
    versions,
    webjobs,
)

_JOB = "<str:type>/<str:name>/"
_DEBUG = "continuous/<str:name>/debug/<str:key>/"
_RUN = "triggered/<str:name>/runs/<int:number>/"

_blade: list[URLPattern | URLResolver] = [
    path("", webjobs.webjobs, name="webjobs"),
    path("bulk", bulk.bulk, name="webjob-bulk"),
    path("rows", webjobs.webjob_rows, name="webjob-rows"),
    path("add", add.webjob_add, name="webjob-add"),
    path("schedule-preview", add.schedule_preview, name="schedule-preview"),
    path(_JOB + "properties", properties.properties, name="webjob-properties"),
    path(_JOB + "password", properties.password, name="webjob-password"),
    path(_JOB + "schedule", properties.schedule, name="webjob-schedule"),
    path(_JOB + "policy", properties.policy, name="webjob-policy"),
    path(_JOB + "package", properties.package, name="webjob-package"),
    path(_JOB + "edit", edit.edit, name="webjob-edit"),
    path(_JOB + "versions/", versions.versions, name="webjob-versions"),
    path(_JOB + "versions/changes", versions.version_changes, name="version-changes"),
    path(
        _JOB + "versions/<int:number>/download", versions.version_download, name="version-download"
    ),
    path(_JOB + "versions/<int:number>/roll-back", versions.roll_back, name="webjob-roll-back"),
    path(_JOB + "run", commands.run, name="webjob-run"),
    path(_JOB + "start", commands.start, name="webjob-start"),
    path(_JOB + "stop", commands.stop, name="webjob-stop"),
    path(_JOB + "delete", commands.delete, name="webjob-delete"),
    path(_DEBUG + "start", debugging.debug_start, name="debug-start"),
    path(_DEBUG + "stop", debugging.debug_stop, name="debug-stop"),
    path(_JOB + "call", calling.call, name="webjob-call"),
]

_history: list[URLPattern | URLResolver] = [
    path("", history.history, name="history"),
    path(_JOB, history.webjob_details, name="webjob-details"),
    path(_RUN, runs.run_details, name="run-details"),
    path(_RUN + "stop", runs.run_stop, name="run-stop"),
    path(_RUN + "log", output.run_log, name="run-log"),
    path(_RUN + "log/search", search.run_log_search, name="run-log-search"),
    path(_RUN + "log.txt", output.run_text, name="run-text"),
    path("triggered/<str:name>/scheduler/", history.scheduler, name="scheduler"),
    path("triggered/<str:name>/scheduler/log", output.scheduler_log, name="scheduler-log"),
    path(
        "triggered/<str:name>/scheduler/log/search",
        search.scheduler_log_search,
        name="scheduler-log-search",
    ),
    path("triggered/<str:name>/scheduler/log.txt", output.scheduler_text, name="scheduler-text"),
    path("continuous/<str:name>/instances/<str:key>/log", output.copy_log, name="copy-log"),
    path(
        "continuous/<str:name>/instances/<str:key>/log/search",
        search.copy_log_search,
        name="copy-log-search",
    ),
    path("continuous/<str:name>/instances/<str:key>/log.txt", output.copy_text, name="copy-text"),
]

_settings: list[URLPattern | URLResolver] = [
    path("", settings.settings, name="settings"),
    path("add", settings.setting_add, name="setting-add"),
    path("reveal", settings.setting_reveal, name="setting-reveal"),
    path("apply", setting_changes.settings_apply, name="settings-apply"),
    path("advanced", setting_changes.settings_advanced, name="settings-advanced"),
    path("<str:name>/edit", settings.setting_edit, name="setting-edit"),
    path("<str:name>/delete", settings.setting_delete, name="setting-delete"),
]

_slots: list[URLPattern | URLResolver] = [
    path("", slots.slots, name="slots"),
    path("add", slots.slot_add, name="slot-add"),
    path("swap", slots.slot_swap, name="slot-swap"),
    path("swap/cancel", slots.swap_cancel, name="swap-cancel"),
    path("<str:name>/delete", slots.slot_delete, name="slot-delete"),
]

_deployment: list[URLPattern | URLResolver] = [
    path("", deployment.center, name="deployment"),
    path("connect", deployment.connect, name="deployment-connect"),
    path("change", deployment.change, name="deployment-change"),
    path("sync", deployment.sync, name="deployment-sync"),
    path("test", deployment.test, name="deployment-test"),
    path("disconnect", deployment.disconnect, name="deployment-disconnect"),
    path("secret", deployment.secret, name="deployment-secret"),
    path("<int:pk>/", deployment.details, name="deployment-details"),
    path("<int:pk>/redeploy", deployment.redeploy, name="deployment-redeploy"),
]

_slot: list[URLPattern | URLResolver] = [
    path("deployment/", include(_deployment)),
    path("deployment-slots/", include(_slots)),
    path("configuration/", configuration.configuration, name="configuration"),
    path("webjobs/", include(_blade)),
    path("history/", include(_history)),
    path("settings/", include(_settings)),
]

_catalog = cache_control(private=True, max_age=3600)(
    JavaScriptCatalog.as_view(packages=["webjobs"])
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", apps.home, name="home"),
    path("sign-in", LoginView.as_view(redirect_authenticated_user=True), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("words.js", login_not_required(_catalog), name="words"),
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    path("instances/", instances.instances, name="instances"),
    path("instances/<str:key>/", instances.instance, name="instance"),
    path("undo/<str:id>", undo.undo, name="undo"),
    path("drafts", drafts.drafts, name="drafts"),
    path("help/", help.help, name="help"),
    path("find", find.find, name="find"),
    path("apps/", apps.apps, name="apps"),
    path("apps/add", apps.app_add, name="app-add"),
    path("apps/<str:app>/", include(_slot)),
    path("apps/<str:app>/slots/<str:slot>/", include(_slot)),
]
