"""Deployment Center: the repository of a slot, and what came from it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    conditional_page,
    require_GET,
    require_http_methods,
    require_POST,
)

from webjobs import deploying, dispatch, retelling
from webjobs.access import actor_of, slot_for
from webjobs.deploying.asking import Wish
from webjobs.forms.source import ConnectForm, SourceSettingsForm
from webjobs.models import Deployment, Role, Slot, SourceConnection
from webjobs.models.app import PRODUCTION
from webjobs.reasons import Reason
from webjobs.runner import deploy_key
from webjobs.telling import told
from webjobs.views.addresses import slot_url
from webjobs.views.answers import done, refused, wants_fragment, wants_json
from webjobs.views.deployment_rows import DeploymentRow, deployments_of, gone_of, results_of
from webjobs.views.rights import rights_in

# Beside which field the reason of git belongs.
_FIELDS = {"branch": "branch", "credentials": "secret", "key": "secret", "bad_branch": "branch"}


def _connected(slot: Slot) -> SourceConnection | None:
    # Secrets that cannot be read any more must not keep anybody from the page.
    found = SourceConnection.objects.filter(slot=slot)
    return found.defer("secret", "webhook_secret").first()


def _source(slot: Slot) -> SourceConnection:
    source = _connected(slot)
    if source is None:
        raise Http404(Reason("gone", deploying.NOT_CONNECTED))
    source.slot = slot
    return source


def _scm(request: HttpRequest, slot: Slot, path: str) -> str:
    """An address below the slot's Kudu."""
    middle = "" if slot.is_production else f"/slots/{slot.name}"
    return request.build_absolute_uri(f"/scm/{slot.app.name}{middle}/{path}")


def _page(request: HttpRequest, slot: Slot, **more: Any) -> HttpResponse:
    source = _connected(slot)
    forms: dict[str, Any] = {}
    if source is None:
        forms["form"] = ConnectForm(initial={"branch": "main"})
    else:
        forms = {"form": SourceSettingsForm.of(source), "seen": deploying.settings_of(source)}
    context = {
        "slot": slot,
        "source": source,
        "rights": rights_in(request, slot.app),
        "webhook": _scm(request, slot, "deploy"),
        "git_url": _scm(request, slot, f"{slot.app.name}.git"),
        "deployments": deployments_of(slot),
        "gone": gone_of(slot),
    }
    template = "_live.html" if wants_fragment(request) else "center.html"
    form = more.get("form")
    status = 400 if form is not None and form.errors else 200
    return render(request, f"deployment/{template}", context | forms | more, status=status)


@require_GET
@conditional_page
def center(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """The connection with its state, or the form for one; the deployments so far."""
    return _page(request, slot_for(request, app, slot))


@require_POST
def connect(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Try to reach the repository, then connect it; whatever is wrong is beside its field."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    form = ConnectForm(request.POST)
    if form.is_valid():
        try:
            deploying.connect(found, _wish(form), actor_of(request))
            message = _("Successfully connected the repository")
            return done(request, message, slot_url(found, "deployment"))
        except dispatch.Refused as error:
            form.add_error(None, told(error))
        except Reason as error:
            form.add_error(_FIELDS.get(error.code, "url"), told(error))
    return _page(request, found, form=form)


def _wish(form: ConnectForm) -> Wish:
    """Raises GitError when the repository cannot be read."""
    values = form.cleaned_data
    secret, public, known = values["secret"], form.public_key, ""
    if form.makes_key:
        key = deploy_key.new()
        secret, public = key.private, key.public
    else:
        _commit, known = deploying.newest_of(form.remote)
    return Wish(
        url=values["url"], branch=values["branch"], user_name=values["user_name"], secret=secret,
        public_key=public, known_hosts=known, poll_minutes=values["poll"],
    )  # fmt: skip


@require_POST
def change(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Another branch, interval or secret."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    source = _source(found)
    form = SourceSettingsForm.of(source, request.POST)
    if not form.is_valid():
        return _page(request, found, form=form)
    values = form.cleaned_data
    wish = Wish(
        url=source.url, branch=values["branch"], user_name=values["user_name"],
        secret=values["secret"], public_key=form.public_key, poll_minutes=values["poll"],
    )  # fmt: skip
    forget, seen = values["forget_host"], request.POST.get("seen", "")
    try:
        deploying.change(source, wish, actor_of(request), forget_host=forget, seen=seen)
    except dispatch.Refused as error:
        form.add_error(None, told(error))
        return _page(request, found, form=form)
    message = _("Successfully updated the source control settings")
    return done(request, message, slot_url(found, "deployment"))


@require_POST
def sync(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Deploy the newest commit."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    made = deploying.sync_now(_source(found), actor_of(request))
    message = _("The newest commit is being deployed")
    return done(request, message, slot_url(found, "deployment-details", pk=made.pk))


@require_POST
def test(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Whether the repository can be reached, in words; nothing is deployed."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    source, url = _source(found), slot_url(found, "deployment")
    try:
        commit, _known = deploying.newest_of(deploying.remote_of(source))
    except Reason as error:
        source.note(timezone.now(), error.message)
        return refused(request, dispatch.Refused(error.code, error.text), told(error), url)
    source.note(timezone.now(), "")
    words = {"branch": source.branch, "commit": commit[:10]}
    message = _("The repository answers: %(branch)s is at commit %(commit)s.") % words
    return done(request, message, url)


@require_http_methods(["GET", "POST"])
def disconnect(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Ask, then forget the repository; the WebJobs stay."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    source = _source(found)
    url = slot_url(found, "deployment")
    if request.method != "POST":
        context = {
            "slot": found, "url": url, "target": source.url, "title": _("Disconnect"),
            "question": _(
                "Are you sure you want to disconnect the repository? Its WebJobs stay, and can "
                "then be added and changed here."
            ),
        }  # fmt: skip
        return render(request, "deployment/confirm.html", context)
    deploying.disconnect(source, actor_of(request))
    return done(request, _("Successfully disconnected the repository"), url)


@require_POST
@never_cache
def secret(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Show (`action=reveal`) or renew the webhook's secret; both are recorded."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    source = _source(found)
    if request.POST.get("action") == "reveal":
        dispatch.record(actor_of(request), "source.secret.reveal", found, source.url)
        if wants_json(request):
            return JsonResponse({"password": source.webhook_secret})
        return _page(request, found, webhook_secret=source.webhook_secret)
    deploying.renew_secret(source, actor_of(request))
    message = _("Successfully renewed the webhook's secret")
    return done(request, message, slot_url(found, "deployment"))


def _deployment(slot: Slot, pk: int) -> Deployment:
    found = Deployment.objects.filter(slot=slot, pk=pk).first() if pk < 10**18 else None
    if found is None:
        raise Http404("No such deployment.")
    found.slot = slot
    return found


@require_GET
@conditional_page
def details(request: HttpRequest, app: str, pk: int, slot: str = PRODUCTION) -> HttpResponse:
    """One deployment: the commit, what became of each WebJob, and the log."""
    found = slot_for(request, app, slot)
    deployment = _deployment(found, pk)
    context = {
        "slot": found,
        "deployment": deployment,
        "row": DeploymentRow(deployment),
        "results": results_of(deployment),
        "reason": retelling.shown(deployment.reason),
        "can_come_back": any(one.get("package") for one in deployment.results),
        "rights": rights_in(request, found.app),
    }
    template = "_details.html" if wants_fragment(request) else "details.html"
    return render(request, f"deployment/{template}", context)


@require_http_methods(["GET", "POST"])
def redeploy(request: HttpRequest, app: str, pk: int, slot: str = PRODUCTION) -> HttpResponse:
    """Ask, then deploy the WebJobs of an earlier deployment again."""
    found = slot_for(request, app, slot, Role.CONTRIBUTOR)
    deployment = _deployment(found, pk)
    url = slot_url(found, "deployment-details", pk=pk)
    if request.method != "POST":
        context = {
            "slot": found, "url": url, "title": _("Redeploy"),
            "target": f"{deployment.short_commit} {deployment.title}",
            "question": _(
                "Are you sure you want to deploy the WebJobs of this commit again, as they were? "
                "The next new commit replaces them."
            ),
        }  # fmt: skip
        return render(request, "deployment/confirm.html", context)
    try:
        made = deploying.redeploy(deployment, actor_of(request))
    except dispatch.Refused as error:
        return refused(request, error, told(error), url)
    message = _("The commit is being deployed again")
    return done(request, message, slot_url(found, "deployment-details", pk=made.pk))
