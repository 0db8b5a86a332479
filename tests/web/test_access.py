"""The one way from a request to an object: whom it is found for, and whom it is not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.test import RequestFactory, TestCase, override_settings
from django.utils import timezone

from tests.web.objects import make_job, make_member, make_run, make_slot
from webjobs import access
from webjobs.models import App, Role
from webjobs.states import JobType

Find = Callable[[HttpRequest], object]


class _WithPeople(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot("demo")
        self.staging = make_slot("demo", "staging")
        self.app = self.slot.app
        self.job = make_job(self.slot, "nightly")
        self.ended = make_run(self.job)
        make_slot("other")
        self.people: dict[str, User | AnonymousUser] = {
            "reader": make_member(self.app, "reader", Role.READER),
            "operator": make_member(self.app, "operator", Role.OPERATOR),
            "contributor": make_member(self.app, "contributor", Role.CONTRIBUTOR),
            "elsewhere": make_member(App.objects.get(name="other"), "elsewhere", Role.CONTRIBUTOR),
            "stranger": make_member(self.app, "stranger", None),
            "superuser": User.objects.create_superuser("root"),
            "anonymous": AnonymousUser(),
        }
        staff = make_member(self.app, "staff", None)
        staff.is_staff = True
        staff.save()
        self.people["staff"] = staff
        gone = make_member(self.app, "gone", Role.CONTRIBUTOR)
        gone.is_active = False
        gone.save()
        self.people["gone"] = gone

    def request(self, who: str, **meta: str) -> HttpRequest:
        request = RequestFactory().get("/", **meta)  # type: ignore[arg-type]
        request.user = self.people[who]
        return request


class AccessTests(_WithPeople):
    def outcome(self, who: str, find: Find) -> int:
        try:
            find(self.request(who))
        except Http404:
            return 404
        except PermissionDenied:
            return 403
        return 200

    def test_who_finds_what_in_which_role(self) -> None:
        expected = {
            "reader": [200, 403, 403],
            "operator": [200, 200, 403],
            "contributor": [200, 200, 200],
            "superuser": [200, 200, 200],
            "elsewhere": [404, 404, 404],
            "stranger": [404, 404, 404],
            "staff": [404, 404, 404],
            "gone": [404, 404, 404],
            "anonymous": [404, 404, 404],
        }
        finders: dict[str, Callable[..., Any]] = {
            "app": lambda request, role: access.app_for(request, "demo", role),
            "slot": lambda request, role: access.slot_for(request, "demo", role=role),
            "webjob": lambda request, role: access.webjob_for(
                request, "demo", "production", "triggered", "nightly", role
            ),
            "run": lambda request, role: access.run_for(
                request, "demo", "production", "nightly", self.ended.number, role
            ),
        }
        for what, find in finders.items():
            for who, codes in expected.items():
                with self.subTest(what=what, who=who):
                    asks = [partial(find, role=role) for role in Role]
                    self.assertEqual([self.outcome(who, ask) for ask in asks], codes)

    def test_a_stranger_cannot_tell_what_exists_from_what_does_not(self) -> None:
        answers = set()
        for name in ("demo", "missing"):
            with self.assertRaises(Http404) as caught:
                access.app_for(self.request("stranger"), name)
            answers.add(str(caught.exception))
        self.assertEqual(len(answers), 1)

    def test_too_low_a_role_is_told_in_words(self) -> None:
        with self.assertRaisesMessage(
            PermissionDenied, "Your role in demo is Reader; this needs Operator."
        ):
            access.app_for(self.request("reader"), "demo", Role.OPERATOR)

    def test_names_are_found_in_any_case(self) -> None:
        request = self.request("reader")
        found = access.run_for(request, "DEMO", "Production", "Nightly", self.ended.number)
        self.assertEqual(found, self.ended)

    def test_a_slot_keeps_its_jobs_to_itself(self) -> None:
        request = self.request("reader")
        self.assertEqual(access.slot_for(request, "demo", "staging"), self.staging)
        with self.assertRaises(Http404):
            access.webjob_for(request, "demo", "staging", "triggered", "nightly")

    def test_what_does_not_exist_is_not_found(self) -> None:
        number = self.ended.number
        finders: list[Find] = [
            lambda request: access.slot_for(request, "demo", "missing"),
            lambda request: access.slot_for(request, "demo", "a\0b"),
            lambda request: access.app_for(request, "a\0b"),
            lambda request: access.webjob_for(request, "demo", "production", "triggered", "x"),
            lambda request: access.webjob_for(request, "demo", "production", "odd", "nightly"),
            lambda request: access.webjob_for(
                request, "demo", "production", "continuous", "nightly"
            ),
            lambda request: access.webjob_for(request, "demo", "production", "triggered", "a\0b"),
            lambda request: access.webjob_for(request, "demo", "production", "a\0b", "nightly"),
            lambda request: access.run_for(request, "demo", "production", "nightly", number + 1),
            lambda request: access.run_for(request, "demo", "production", "nightly", 10**30),
            lambda request: access.run_for(request, "demo", "production", "nightly", -1),
        ]
        for index, find in enumerate(finders):
            with self.subTest(index):
                self.assertEqual(self.outcome("superuser", find), 404)

    def test_a_deleted_webjob_and_its_runs_are_gone_at_once(self) -> None:
        self.job.request_delete(timezone.now())
        finders: list[Find] = [
            lambda request: access.webjob_for(
                request, "demo", "production", "triggered", "nightly"
            ),
            lambda request: access.run_for(
                request, "demo", "production", "nightly", self.ended.number
            ),
        ]
        for find in finders:
            self.assertEqual(self.outcome("superuser", find), 404)

    def test_a_run_of_another_webjob_is_not_found_under_this_one(self) -> None:
        make_job(self.slot, "daemon", JobType.CONTINUOUS)
        make_job(self.slot, "other")
        request = self.request("reader")
        for name in ("daemon", "other"):
            with self.assertRaises(Http404):
                access.run_for(request, "demo", "production", name, self.ended.number)

    def test_the_list_of_apps_follows_the_same_rule(self) -> None:
        for who, names in {
            "reader": ["demo"],
            "elsewhere": ["other"],
            "stranger": [],
            "gone": [],
            "anonymous": [],
            "superuser": ["demo", "other"],
        }.items():
            with self.subTest(who):
                found = App.objects.visible_to(self.people[who]).values_list("name", flat=True)
                self.assertEqual(list(found), names)


class ActorTests(_WithPeople):
    def address(self, **meta: str) -> str | None:
        return access.actor_of(self.request("reader", **meta)).address

    def test_it_names_the_user_and_the_address(self) -> None:
        actor = access.actor_of(self.request("reader", REMOTE_ADDR="192.0.2.7"))
        self.assertEqual((actor.user, actor.name), (self.people["reader"], "reader"))
        self.assertEqual(actor.address, "192.0.2.7")

    def test_nobody_has_no_name(self) -> None:
        actor = access.actor_of(self.request("anonymous"))
        self.assertEqual((actor.user, actor.name), (None, ""))

    def test_a_client_cannot_invent_an_address(self) -> None:
        found = self.address(REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="198.51.100.1")
        self.assertEqual(found, "192.0.2.7")

    def test_behind_a_trusted_proxy_it_is_what_the_proxy_saw(self) -> None:
        cases = {
            "198.51.100.1": "198.51.100.1",
            "10.0.0.1, 198.51.100.1": "198.51.100.1",
            "2001:db8::1": "2001:db8::1",
            "": "192.0.2.7",
            "nonsense": "192.0.2.7",
        }
        with override_settings(USE_X_FORWARDED_HOST=True):
            for header, expected in cases.items():
                with self.subTest(header):
                    found = self.address(REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR=header)
                    self.assertEqual(found, expected)

    def test_a_unix_socket_has_no_address(self) -> None:
        self.assertIsNone(self.address(REMOTE_ADDR=""))
        self.assertIsNone(self.address(REMOTE_ADDR="unix:"))
