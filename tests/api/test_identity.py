"""Where clients of Azure sign in: discovery, client credentials, a machine's identity."""

from __future__ import annotations

import base64
import json
import time
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

from django.test import override_settings
from django.utils import timezone

from tests.api.calling import ApiTestCase, basic
from webjobs.api import access_tokens
from webjobs.models import ApiToken, Role, Throttle

FORM = "application/x-www-form-urlencoded"
TOKEN = "/contoso/oauth2/v2.0/token"  # noqa: S105
SUBSCRIPTIONS = "/subscriptions?api-version=2022-12-01"


def _claims(token: str) -> dict[str, Any]:
    """What a client reads in it; it cannot verify the signature, and need not."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


class DiscoveryTests(ApiTestCase):
    def test_a_directory_of_any_name_tells_where_to_sign_in(self) -> None:
        for path, token in {
            "/contoso/v2.0/.well-known/openid-configuration": TOKEN,
            "/contoso/.well-known/openid-configuration": TOKEN,
            "/adfs/.well-known/openid-configuration": "/adfs/oauth2/token",
        }.items():
            with self.subTest(path):
                response = self.get(path, auth="")
                self.assertEqual(response.status_code, 200)
                document = response.json()
                self.assertEqual(document["token_endpoint"], "http://testserver" + token)
                self.assertIn("/authorize", document["authorization_endpoint"])
                self.assertTrue(document["issuer"].startswith("http://testserver/"))
                keys = self.get(urlsplit(document["jwks_uri"]).path, auth="")
                self.assertEqual(keys.json(), {"keys": []})

    def test_a_cloud_that_az_does_not_know_describes_itself(self) -> None:
        # With a slash at the end of the address az makes two of it.
        for path in ("/metadata/endpoints", "//metadata/endpoints"):
            document = self.client.get("/", PATH_INFO=path).json()
            self.assertEqual(document["resourceManager"], "http://testserver")
            self.assertEqual(document["authentication"]["loginEndpoint"], "http://testserver")
            self.assertEqual(document["authentication"]["audiences"], ["http://testserver/"])
            self.assertEqual(document["suffixes"], {})
            self.assertTrue(document["name"])


class TokenTests(ApiTestCase):
    def setUp(self) -> None:
        self.token, self.secret = ApiToken.issue(self.reader, "az", Role.READER)

    def ask(self, path: str = TOKEN, auth: str = "", **form: str) -> Any:
        given = {"grant_type": "client_credentials", "scope": "http://testserver//.default"}
        data = urlencode(given | form).encode()
        return self.post(path, auth=auth, data=data, content_type=FORM)

    def sign_in(self, **form: str) -> str:
        response = self.ask(**{"client_id": "rita", "client_secret": self.secret} | form)
        self.assertEqual(response.status_code, 200, response.content)
        self.assertEqual(response["Cache-Control"], "no-store")
        return f"Bearer {response.json()['access_token']}"

    def opens(self, bearer: str) -> bool:
        return bool(self.get(SUBSCRIPTIONS, auth=bearer).status_code == 200)

    def test_a_user_and_a_token_give_a_bearer_token_that_opens_the_api(self) -> None:
        bearer = self.sign_in()
        self.assertTrue(self.opens(bearer))
        self.assertEqual(self.get("/scm/demo/api/webjobs", auth=bearer).status_code, 200)
        claims = _claims(bearer)
        (tenant,) = self.get("/tenants?api-version=1", auth=bearer).json()["value"]
        self.assertEqual(claims["tid"], tenant["tenantId"])
        self.assertEqual(claims["aud"], "http://testserver/")
        self.assertNotIn(self.secret, json.dumps(claims))

    def test_every_address_and_way_to_name_the_client_works(self) -> None:
        named = {"client_id": "rita", "client_secret": self.secret}
        for path in (TOKEN, "/adfs/oauth2/token", "/CONTOSO/OAuth2/Token"):
            self.assertEqual(self.ask(path, **named).status_code, 200)
        self.assertEqual(self.ask(auth=basic("rita", self.secret)).status_code, 200)

    def test_a_wrong_secret_is_told_as_azure_tells_it(self) -> None:
        for form in (
            {"client_id": "rita", "client_secret": "wjp_wrong"},
            {"client_id": "otto", "client_secret": self.secret},
            {"client_id": "", "client_secret": self.secret},
            {"client_id": "rita", "client_secret": "\0"},
            {},
        ):
            with self.subTest(form):
                response = self.ask(**form)
                body = response.json()
                self.assertEqual((response.status_code, body["error"]), (401, "invalid_client"))
                self.assertIn("AADSTS7000215", body["error_description"])
                self.assertEqual(body["error_codes"], [7000215])

    def test_what_is_no_request_for_a_token_is_400(self) -> None:
        response = self.ask(grant_type="password", client_id="rita", client_secret=self.secret)
        self.assertEqual(response.status_code, 400)
        self.assertEqual(response.json()["error"], "unsupported_grant_type")
        response = self.post(TOKEN, auth="", data=b"\xff=1", content_type=FORM)
        self.assertEqual((response.status_code, response.json()["error"]), (400, "invalid_request"))
        response = self.post(TOKEN, auth="", data=b"a" * (2**20 + 1), content_type=FORM)
        self.assertEqual(response.status_code, 413)

    def test_who_guesses_is_slowed_down(self) -> None:
        for _ in range(10):
            self.ask(client_id="rita", client_secret="wjp_wrong")
        response = self.ask(client_id="rita", client_secret=self.secret)
        self.assertEqual(response.status_code, 429)
        self.assertEqual(response.json()["error"], "temporarily_unavailable")
        self.assertIn("Retry-After", response.headers)

    def test_it_ends_with_its_hour_and_with_what_it_was_got_for(self) -> None:
        bearer = self.sign_in()
        later = time.time() + access_tokens.LIFETIME + 1
        with patch("webjobs.api.authentication.time.time", return_value=later):
            self.assertFalse(self.opens(bearer))
        self.token.revoke(timezone.now())
        self.assertFalse(self.opens(bearer))
        ApiToken.objects.update(revoked_at=None, expires_at=timezone.now() - timedelta(seconds=1))
        self.assertFalse(self.opens(bearer))
        ApiToken.objects.update(expires_at=None)
        self.assertTrue(self.opens(bearer))

    def test_it_allows_no_more_than_the_token_behind_it(self) -> None:
        self.token, self.secret = ApiToken.issue(self.contributor, "az", Role.READER)
        bearer = self.sign_in(client_id="cora")
        path = "/scm/demo/api/settings"
        self.assertEqual(self.get(path, auth=bearer).status_code, 403)

    def test_whatever_was_changed_in_it_is_worth_nothing(self) -> None:
        bearer = self.sign_in()
        header, claims, signature = bearer.removeprefix("Bearer ").split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
        for parts in (
            (none, claims, ""), (none, claims, signature), (header, claims[:-2] + "AA", signature),
            (header, claims, signature[::-1]), (header, "", signature),
        ):  # fmt: skip
            Throttle.objects.all().delete()
            self.assertFalse(self.opens("Bearer " + ".".join(parts)), parts)

    def test_a_new_secret_key_ends_it_unless_the_old_one_is_kept(self) -> None:
        with override_settings(SECRET_KEY="the-old-key"):
            bearer = self.sign_in()
            self.assertTrue(self.opens(bearer))
        self.assertFalse(self.opens(bearer))
        with override_settings(SECRET_KEY_FALLBACKS=["the-old-key"]):
            self.assertTrue(self.opens(bearer))


class MachineTests(ApiTestCase):
    PATH = "/msi/token?api-version=2019-08-01&resource=http://testserver/"

    def test_its_header_is_a_token_and_the_answer_has_a_tenant(self) -> None:
        _, secret = ApiToken.issue(self.reader, "vm", Role.READER)
        response = self.get(self.PATH, auth="", HTTP_X_IDENTITY_HEADER=secret)
        self.assertEqual(response.status_code, 200)
        body = response.json()
        self.assertEqual((body["token_type"], body["resource"]), ("Bearer", "http://testserver/"))
        self.assertGreater(int(body["expires_on"]), time.time() + 3000)
        self.assertTrue(_claims(body["access_token"])["tid"])
        bearer = f"Bearer {body['access_token']}"
        self.assertEqual(self.get(SUBSCRIPTIONS, auth=bearer).status_code, 200)

    def test_without_the_header_or_with_a_wrong_one_it_is_401(self) -> None:
        for headers in ({}, {"HTTP_X_IDENTITY_HEADER": "wjp_wrong"}):
            response = self.get(self.PATH, auth="", **headers)
            self.assertEqual(response.status_code, 401)
            self.assertEqual(response.json()["error"], "invalid_client")
