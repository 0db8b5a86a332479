"""What the viewer may do in an app, and the words for what they may not."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from webjobs.access import role_of
from webjobs.models import App, Role

# English in what the API answers, in the page's language on pages.
ROLE_LABELS = (gettext_noop("Reader"), gettext_noop("Operator"), gettext_noop("Contributor"))


@dataclass(frozen=True)
class Rights:
    """The viewer's role in an app, as the templates ask for it."""

    role: Role

    @property
    def may_operate(self) -> bool:
        return self.role >= Role.OPERATOR

    @property
    def may_change(self) -> bool:
        return self.role >= Role.CONTRIBUTOR

    @property
    def why_not_operate(self) -> str:
        """Empty when allowed, else the title of a disabled command."""
        return "" if self.may_operate else self._needs(Role.OPERATOR)

    @property
    def why_not_change(self) -> str:
        """Empty when allowed, else the title of a disabled command."""
        return "" if self.may_change else self._needs(Role.CONTRIBUTOR)

    def _needs(self, role: Role) -> str:
        return _("Your role is %(held)s; this needs %(needed)s.") % {
            "held": _(self.role.label),
            "needed": _(role.label),
        }


def rights_in(request: HttpRequest, app: App) -> Rights:
    """For an app that `access` has already let the viewer see."""
    return Rights(role_of(request.user, app) or Role.READER)
