"""The page of API tokens, and `manage.py apitoken`."""

from __future__ import annotations

import io
import re
from datetime import timedelta

from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.api.calling import ApiTestCase
from tests.web.objects import make_slot
from webjobs.models import ApiToken, AuditEntry, Role

JOBS = "/scm/demo/api/webjobs"
FORM = {"name": "deploy", "most": "2", "app": "", "days": "90"}


class TokenPageTests(ApiTestCase):
    def setUp(self) -> None:
        self.client.force_login(self.contributor)

    def test_a_new_token_is_shown_once_and_opens_the_api(self) -> None:
        response = self.client.post("/tokens/", FORM)
        found = re.search(r'value="(wjp_[^"]+)"', response.content.decode())
        assert found
        secret = found[1]
        self.assertEqual(self.get(JOBS, auth=f"Bearer {secret}").status_code, 200)
        self.assertNotContains(self.client.get("/tokens/"), secret)
        token = ApiToken.objects.get()
        self.assertEqual((token.user, token.most), (self.contributor, Role.OPERATOR))
        assert token.expires_at
        self.assertAlmostEqual(
            token.expires_at, timezone.now() + timedelta(days=90), delta=timedelta(minutes=1)
        )
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.action, entry.target), ("token.create", "deploy"))
        self.assertNotIn(secret, repr(entry.__dict__))

    def test_revoking_takes_effect_at_once(self) -> None:
        token, secret = ApiToken.issue(self.contributor, "mine")
        self.client.post(f"/tokens/{token.pk}/revoke")
        self.assertEqual(self.get(JOBS, auth=f"Bearer {secret}").status_code, 401)
        self.assertNotContains(self.client.get("/tokens/"), token.hint)

    def test_nobody_sees_or_revokes_those_of_others(self) -> None:
        token, _ = ApiToken.issue(self.reader, "of somebody else")
        self.assertNotContains(self.client.get("/tokens/"), "of somebody else")
        self.assertEqual(self.client.post(f"/tokens/{token.pk}/revoke").status_code, 404)
        self.assertIsNone(ApiToken.objects.get().revoked_at)

    def test_only_apps_that_one_sees_can_be_chosen(self) -> None:
        hidden = make_slot("covert").app
        response = self.client.post("/tokens/", {**FORM, "app": str(hidden.pk)})
        self.assertEqual(response.status_code, 400)
        self.assertNotContains(response, "covert", status_code=400)
        own = str(self.slot.app.pk)
        self.assertEqual(self.client.post("/tokens/", {**FORM, "app": own}).status_code, 200)

    def test_a_token_needs_a_name(self) -> None:
        self.assertEqual(self.client.post("/tokens/", {**FORM, "name": ""}).status_code, 400)
        self.assertFalse(ApiToken.objects.exists())

    def test_who_has_not_signed_in_is_asked_to(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get("/tokens/").status_code, 302)


class CommandTests(ApiTestCase):
    def test_it_prints_a_secret_that_opens_the_api(self) -> None:
        out = io.StringIO()
        call_command("apitoken", "cora", "ci", "--role", "operator", "--days", "7", stdout=out)
        secret = out.getvalue().strip()
        self.assertEqual(self.get(JOBS, auth=f"Bearer {secret}").status_code, 200)
        self.assertEqual(ApiToken.objects.get().most, Role.OPERATOR)

    def test_it_names_what_is_not_there(self) -> None:
        for arguments in (["nobody", "ci"], ["cora", "ci", "--app", "nothing"]):
            with self.assertRaises(CommandError):
                call_command("apitoken", *arguments)
