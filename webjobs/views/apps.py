"""The list of App Services, and a new one."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from webjobs import dispatch
from webjobs.access import actor_of
from webjobs.forms.apps import AppForm
from webjobs.models import App
from webjobs.models.app import PRODUCTION
from webjobs.telling import told
from webjobs.views.answers import asked, done, invalid, posted, wants_fragment, wants_json

# The WebJobs that the page behind an app's name lists; those of its other slots have their own.
_LISTED = Q(slots__name=PRODUCTION, slots__webjobs__deleted_at=None)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(reverse("apps"))


@require_GET
def apps(request: HttpRequest) -> HttpResponse:
    """The apps that the viewer has a role in; `?q=` filters by name."""
    wanted = asked(request, "q")
    found = (
        App.objects.visible_to(request.user)
        .filter(name__icontains=wanted)
        .annotate(jobs=Count("slots__webjobs", filter=_LISTED))
        .order_by("name")  # what is grouped keeps no order of its model's
    )
    return render(request, "apps.html", {"apps": found, "wanted": wanted})


@require_http_methods(["GET", "POST"])
def app_add(request: HttpRequest) -> HttpResponse:
    """A new app; for superusers."""
    if not getattr(request.user, "is_superuser", False):
        raise PermissionDenied(_("Only administrators of this portal can create apps."))
    form = AppForm(posted(request))
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        url = reverse("webjobs", kwargs={"app": name})
        try:
            dispatch.create_app(name, actor_of(request))
        except dispatch.Refused as error:
            form.add_error("name", told(error))
        else:
            message = _("Successfully created app '%(name)s'") % {"name": name}
            return done(request, message, url)
    if request.method == "POST" and wants_json(request):
        return invalid(form)
    template = "_app_add.html" if wants_fragment(request) else "app_add.html"
    return render(request, template, {"form": form}, status=400 if form.errors else 200)
