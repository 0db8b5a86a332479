"""People with every role, and what all pages of an app owe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.test import TestCase

from tests.web.objects import make_member, make_slot
from webjobs.models import Role, Slot

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

JSON = {"Accept": "application/json"}
FRAGMENT = {"X-Fragment": "1"}


class PagesTestCase(TestCase):
    """Alice changes, Bob operates, Carol reads, Dave is a stranger; the app is `demo`."""

    slot: Slot
    alice: User
    bob: User
    carol: User
    dave: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.slot = make_slot("demo")
        app = cls.slot.app
        cls.alice = make_member(app, "alice", Role.CONTRIBUTOR)
        cls.bob = make_member(app, "bob", Role.OPERATOR)
        cls.carol = make_member(app, "carol", Role.READER)
        cls.dave = make_member(app, "dave", None)

    def get(self, url: str, user: User | None = None, **headers: str) -> Answer:
        self._sign_in(user)
        return self.client.get(url, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(
        self,
        url: str,
        data: Mapping[str, Any] | None = None,
        user: User | None = None,
        *,
        script: bool = True,
    ) -> Answer:
        """As the page's script sends it, or (`script=False`) as a browser without one."""
        self._sign_in(user)
        return self.client.post(url, data or {}, headers=JSON if script else {})

    def _sign_in(self, user: User | None) -> None:
        self.client.force_login(user or self.alice)

    def assert_for_members_only(self, url: str, *, method: str = "get") -> None:
        """A stranger cannot tell that it exists; who has not signed in is asked to."""
        self.client.force_login(self.dave)
        self.assertEqual(getattr(self.client, method)(url).status_code, 404)
        self.client.logout()
        response = getattr(self.client, method)(url)
        self.assertEqual(response.status_code, 302)
        self.assertTrue(response.headers["Location"].startswith("/sign-in?next="))

    def assert_refused_to(self, url: str, *users: User, method: str = "post") -> None:
        for user in users:
            self.client.force_login(user)
            response = getattr(self.client, method)(url, headers=JSON)
            self.assertEqual(response.status_code, 403, user.username)
            self.assertIn("needs", response.json()["error"])

    def assert_method_refused(self, url: str, method: str) -> None:
        self._sign_in(None)
        self.assertEqual(getattr(self.client, method)(url).status_code, 405)
