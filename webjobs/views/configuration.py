"""Configuration, General settings: what an app emulates, and whether it is kept loaded."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from webjobs import dispatch
from webjobs.access import actor_of, slot_for
from webjobs.models import App, Role
from webjobs.models.app import PRODUCTION
from webjobs.states import AppKind, Tier
from webjobs.telling import told
from webjobs.views.addresses import slot_url
from webjobs.views.answers import done, invalid, posted, wants_json
from webjobs.views.rights import rights_in

TIERS = [
    (Tier.FREE.value, gettext_lazy("Free")),
    (Tier.SHARED.value, gettext_lazy("Shared")),
    (Tier.BASIC.value, gettext_lazy("Basic")),
    (Tier.STANDARD.value, gettext_lazy("Standard")),
    (Tier.PREMIUM.value, gettext_lazy("Premium")),
]
KINDS = [
    (AppKind.WEB.value, gettext_lazy("Web app")),
    (AppKind.API.value, gettext_lazy("API app")),
    (AppKind.MOBILE.value, gettext_lazy("Mobile app")),
]


class PlanForm(forms.Form):
    """The plan of an app. A tier without Always On needs no answer to that question."""

    tier = forms.ChoiceField(choices=TIERS)
    kind = forms.ChoiceField(choices=KINDS)
    always_on = forms.ChoiceField(choices=[("on", "On"), ("off", "Off")], required=False)

    @classmethod
    def of(cls, app: App) -> PlanForm:
        always_on = "on" if app.is_always_on else "off"
        return cls(initial={"tier": app.tier, "kind": app.kind, "always_on": always_on})

    @staticmethod
    def seen_of(app: App) -> str:
        """What the form begins from, to be sent back with it."""
        return f"{app.tier} {app.kind} {'on' if app.always_on else 'off'}"

    @staticmethod
    def seen_in(text: str) -> dict[str, Any] | None:
        """The columns that were seen, where that is said."""
        try:
            tier, kind, always_on = text.split()
        except ValueError:
            return None
        return {"tier": tier, "kind": kind, "always_on": always_on == "on"}

    @property
    def wants_always_on(self) -> bool:
        return bool(self.cleaned_data["always_on"] == "on")


def _present_words(app: App) -> str:
    words = _(
        "It is now: %(tier)s, %(kind)s, Always On: %(always_on)s. Save again to replace that."
    )
    on = _("On") if app.always_on else _("Off")
    return words % {"tier": dict(TIERS)[app.tier], "kind": dict(KINDS)[app.kind], "always_on": on}


@require_http_methods(["GET", "POST"])
def configuration(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    """Tier, kind and Always On; to be changed by contributors."""
    role = Role.READER if request.method == "GET" else Role.CONTRIBUTOR
    found = slot_for(request, app, slot, role)
    form = PlanForm(posted(request)) if request.method == "POST" else PlanForm.of(found.app)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            dispatch.set_plan(
                found.app,
                Tier(values["tier"]),
                AppKind(values["kind"]),
                actor_of(request),
                always_on=form.wants_always_on,
                seen=form.seen_in(request.POST.get("seen", "")),
            )
            message = _("Successfully updated web app settings")
            return done(request, message, slot_url(found, "configuration"))
        except dispatch.Refused as error:
            if error.code == "changed":
                form.add_error(None, f"{told(error)} {_present_words(found.app)}")
            else:
                form.add_error("always_on", told(error))
    if request.method == "POST" and wants_json(request):
        return invalid(form)
    context: dict[str, Any] = {
        "slot": found,
        "form": form,
        "seen": form.seen_of(found.app),
        "rights": rights_in(request, found.app),
        "idle_minutes": max(1, settings.WEBJOBS_IDLE_AFTER // 60),
    }
    status = 400 if form.errors else 200
    return render(request, "configuration/configuration.html", context, status=status)
