"""What people type about a repository becomes typed values here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webjobs.forms.fields import REQUIRED
from webjobs.models import SourceConnection
from webjobs.reasons import Reason
from webjobs.runner import deploy_key, git_address
from webjobs.runner.git import Remote
from webjobs.telling import told

NEVER = ""
SECRET_MAX = 20_000
_POLLS = [
    (NEVER, gettext_lazy("Never: only by Sync or webhook")),
    ("1", gettext_lazy("Every minute")),
    ("5", gettext_lazy("Every 5 minutes")),
    ("15", gettext_lazy("Every 15 minutes")),
    ("60", gettext_lazy("Every hour")),
]


def _poll_field() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(coerce=int, choices=_POLLS, required=False, empty_value=None)


class SourceSettingsForm(forms.Form):
    """What may change of a connection; an empty secret stays as it is."""

    branch = forms.CharField(max_length=300, error_messages={"required": REQUIRED})
    user_name = forms.CharField(max_length=100, required=False)
    secret = forms.CharField(max_length=SECRET_MAX, required=False)
    poll = _poll_field()
    forget_host = forms.BooleanField(required=False)

    protocol = ""
    public_key = ""

    @classmethod
    def of(cls, source: SourceConnection, data: Any = None) -> SourceSettingsForm:
        """As the connection is, or as somebody wants it."""
        initial = {
            "branch": source.branch, "user_name": source.user_name, "poll": source.poll_minutes,
        }  # fmt: skip
        form = cls(data, initial=initial)
        form.protocol = source.protocol
        return form

    def clean_branch(self) -> str:
        try:
            return git_address.parse_branch(self.cleaned_data["branch"])
        except git_address.AddressError as error:
            raise ValidationError(told(error)) from error

    def clean_user_name(self) -> str:
        name: str = self.cleaned_data["user_name"]
        if not name.isprintable() or ":" in name:
            raise ValidationError(_("A user name has no colon and no control character."))
        return name

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        secret: str = values.get("secret", "")
        if self.protocol == "ssh" and secret:
            self._clean_key(secret)
        elif self.protocol == "https" and not (secret.isascii() and secret.isprintable()):
            self.add_error("secret", _("A token is one line of letters, numbers and signs."))
        elif self.protocol == "file":
            values["secret"] = values["user_name"] = ""
        return values

    def _clean_key(self, secret: str) -> None:
        try:
            key = deploy_key.read(secret)
        except Reason as error:
            self.add_error("secret", told(error))
        else:
            self.cleaned_data["secret"], self.public_key = key.private, key.public


class ConnectForm(SourceSettingsForm):
    """A repository to connect."""

    url = forms.CharField(max_length=1000, error_messages={"required": REQUIRED})

    field_order = ["url"]

    def clean_url(self) -> str:
        try:
            address = git_address.parse(self.cleaned_data["url"], settings.WEBJOBS_SOURCE_PATHS)
        except git_address.AddressError as error:
            raise ValidationError(told(error)) from error
        self.protocol = address.protocol
        return address.url

    @property
    def makes_key(self) -> bool:
        """Whether the portal makes the key, which the repository cannot know yet."""
        return self.protocol == "ssh" and not self.cleaned_data.get("secret")

    @property
    def remote(self) -> Remote:
        values = self.cleaned_data
        return Remote(
            values["url"], self.protocol, values["branch"], values["user_name"], values["secret"]
        )
