"""The API tokens of whoever is signed in: make one, see its secret once, revoke it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webjobs import dispatch
from webjobs.access import actor_of
from webjobs.models import ApiToken, App, Role
from webjobs.views.answers import done

NEVER = "0"
_FOR = [
    ("7", gettext_lazy("7 days")),
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("One year")),
    (NEVER, gettext_lazy("No end")),
]


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(
        max_length=100, error_messages={"required": gettext_lazy("This field is required")}
    )
    most = forms.TypedChoiceField(
        coerce=int,
        choices=[
            (Role.READER, gettext_lazy("Read")),
            (Role.OPERATOR, gettext_lazy("Read, run and stop")),
            (Role.CONTRIBUTOR, gettext_lazy("Everything that I may")),
        ],
        initial=Role.OPERATOR,
    )
    app = forms.ModelChoiceField(
        App.objects.none(), required=False, empty_label=gettext_lazy("All apps")
    )
    days = forms.TypedChoiceField(coerce=int, choices=_FOR, initial="90")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["app"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = App.objects.visible_to(user)


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user


@require_http_methods(["GET", "POST"])
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The list, with a form for a new one whose secret the answer alone shows."""
    user = _user(request)
    form = TokenForm(request.POST if request.method == "POST" else None, user=user)
    secret = None
    if request.method == "POST" and form.is_valid():
        secret = _issue(request, user, form.cleaned_data)
        form = TokenForm(user=user)
    context = {
        "form": form,
        "secret": secret,
        "tokens": ApiToken.objects.filter(user=user, revoked_at=None).select_related("app"),
        "now": timezone.now(),
    }
    return render(request, "tokens.html", context, status=400 if form.errors else 200)


def _issue(request: HttpRequest, user: User, values: dict[str, Any]) -> str:
    days = values["days"]
    token, secret = ApiToken.issue(
        user,
        values["name"],
        Role(values["most"]),
        app=values["app"],
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    dispatch.record(actor_of(request), "token.create", token.app, token.name)
    return secret


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse one of one's own tokens from now on."""
    token = ApiToken.objects.filter(user=_user(request), pk=pk).first()
    if token is None:
        raise Http404("No such token.")
    if token.revoke(timezone.now()):
        dispatch.record(actor_of(request), "token.revoke", token.app, token.name)
    message = _("Successfully revoked the token '%(name)s'") % {"name": token.name}
    return done(request, message, reverse("tokens"))
