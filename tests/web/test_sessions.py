"""Who has signed in stays signed in, until the session ends."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.test import TestCase
from django.utils import timezone

from portal.sessions import SessionStore


class SessionTests(TestCase):
    def setUp(self) -> None:
        self.stored = SessionStore()
        self.stored["name"] = "Ada"
        self.stored.save()

    def test_it_is_read_by_its_key(self) -> None:
        again = SessionStore(self.stored.session_key)
        self.assertEqual((again["name"], again.session_key), ("Ada", self.stored.session_key))

    def test_one_that_has_expired_or_never_was_holds_nothing_and_loses_its_key(self) -> None:
        Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        for key in (self.stored.session_key, "a" * 32):
            with self.subTest(key):
                other = SessionStore(key)
                self.assertEqual((other.get("name"), other.session_key), (None, None))

    def test_what_is_changed_is_stored(self) -> None:
        again = SessionStore(self.stored.session_key)
        again["name"] = "Grace"
        again.save()
        self.assertEqual(SessionStore(self.stored.session_key)["name"], "Grace")
