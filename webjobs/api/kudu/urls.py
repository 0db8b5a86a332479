"""Addresses below a slot's Kudu: each under the four prefixes that shipped clients use."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, re_path

from webjobs.api.kudu import (
    app_settings,
    debugging,
    deploy,
    git_repository,
    hooks,
    jobs,
    passthrough,
    processes,
    runs,
    swagger,
    vfs,
    zips,
)
from webjobs.api.kudu.surface import KUDU
from webjobs.api.routing import route
from webjobs.api.surface import View
from webjobs.models.app import PRODUCTION

_PREFIXES = (r"api/{type}webjobs", r"api/{type}jobs", r"api/jobs/{type}", r"jobs/{type}")
_ANY = r"(?P<type>triggered|continuous)"
_NAME = r"/(?P<name>[^/]+)"
_ID = r"(?P<id>[^/]+)"
_PROCESSES = "(?:api/processes|api/diagnostics/processes|diagnostics/processes)"
# Our own; no client knows it by another prefix.
_DEBUG = rf"api/{_ANY}webjobs{_NAME}/debug"


def _nothing(request: HttpRequest, app: str = "", slot: str = PRODUCTION) -> HttpResponse:
    raise Http404("No such address.")


# Also here nobody learns anything before signing in.
nothing = KUDU.endpoint(**dict.fromkeys(("GET", "POST", "PUT", "DELETE", "PATCH"), _nothing))


def _routes(pattern: str, view: View, name: str, type: str = _ANY) -> list[URLPattern]:
    """`pattern` behind every prefix; the first one is the one that documents name."""
    return [route(prefix.format(type=type) + pattern, view, name) for prefix in reversed(_PREFIXES)]


_TRIGGERED, _CONTINUOUS = "triggered", "continuous"

urlpatterns: list[URLPattern | URLResolver] = [
    route("(?:api/webjobs|api/jobs|jobs)", jobs.jobs, "kudu-all"),
    route("api/triggeredwebjobsswagger", swagger.swagger, "kudu-swagger"),
    *_routes("", jobs.jobs, "kudu-jobs"),
    *_routes(_NAME, jobs.job, "kudu-job"),
    *_routes(_NAME + "/settings", jobs.job_settings, "kudu-job-settings"),
    *_routes(_NAME + "/run", runs.run, "kudu-run", _TRIGGERED),
    *_routes(_NAME + "/history", runs.history, "kudu-history", _TRIGGERED),
    *_routes(_NAME + "/history/" + _ID, runs.history_run, "kudu-history-run", _TRIGGERED),
    *_routes(_NAME + f"/history/{_ID}/stop", runs.history_stop, "kudu-run-stop", _TRIGGERED),
    *_routes(_NAME + "/start", jobs.start, "kudu-start", _CONTINUOUS),
    *_routes(_NAME + "/stop", jobs.stop, "kudu-stop", _CONTINUOUS),
    *_routes(
        _NAME + "/passthrough(?:/(?P<path>.*))?",
        passthrough.passthrough,
        "kudu-passthrough",
        _CONTINUOUS,
    ),
    route(_DEBUG, debugging.sessions, "kudu-debug"),
    route(f"{_DEBUG}/{_ID}", debugging.session, "kudu-debug-session"),
    route(f"{_DEBUG}/{_ID}/connections", debugging.connections, "kudu-debug-connections"),
    route(
        f"{_DEBUG}/{_ID}/connections/(?P<connection>[^/]+)",
        debugging.connection,
        "kudu-debug-connection",
    ),
    route("(?:api/)?settings", app_settings.app_settings, "kudu-settings"),
    route("(?:api/)?settings/(?P<key>[^/]+)", app_settings.app_setting, "kudu-setting"),
    route("api/hooks", hooks.hooks, "kudu-hooks"),
    route("api/hooks/publish/(?P<event>[^/]+)", hooks.publish, "kudu-hook-publish"),
    route("api/hooks/(?P<id>[^/]+)", hooks.hook, "kudu-hook"),
    route("api/hooks/(?P<id>[^/]+)/deliveries", hooks.deliveries, "kudu-hook-deliveries"),
    route("api/vfs(?:/(?P<path>.*))?", vfs.vfs, "kudu-vfs"),
    route("vfs(?:/(?P<path>.*))?", vfs.vfs, "kudu-vfs-short"),
    route("api/zip/site/wwwroot(?:/(?P<path>.*))?", zips.zips, "kudu-zip"),
    route(_PROCESSES, processes.processes, "kudu-processes"),
    route(_PROCESSES + "/" + _ID, processes.process, "kudu-process"),
    route("deploy", deploy.deploy, "kudu-deploy"),
    route(r"(?P<repository>[^/]+)\.git/info/refs", git_repository.refs, "kudu-git-refs"),
    route(r"(?P<repository>[^/]+)\.git/git-receive-pack", git_repository.pack, "kudu-git-push"),
    re_path(r"", nothing, name="kudu-nothing"),
]
