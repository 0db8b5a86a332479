"""Django's sessions in the database; to read one costs a small statement, not a compiled query.

Every open page sends it along with each of its questions, several times a second.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import CharField, DateTimeField
from django.utils import timezone

from webjobs.models.prepared import Given, PreparedQuery

_VALID = PreparedQuery(
    lambda: Session.objects.filter(
        session_key=Given("key", CharField()), expire_date__gt=Given("now", DateTimeField())
    )
)


class SessionStore(db.SessionStore):
    def load(self) -> dict[str, Any]:
        """What the session holds; nothing, and no key any more, when there is no valid one."""
        found = _VALID.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
            return {}
        return self.decode(found.session_data)
