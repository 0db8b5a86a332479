"""The page that shows how to call a WebJob."""

from __future__ import annotations

import ast
import html
import re
import subprocess
from urllib.parse import parse_qs, urlsplit

from django.test import SimpleTestCase, override_settings

from tests.web.objects import make_job, make_slot
from tests.web.pages import PagesTestCase
from webjobs.api.calling import examples
from webjobs.api.calling.examples import Call, Target
from webjobs.states import JobType

URL = "/apps/demo/webjobs/triggered/nightly/call"
ODD = 'it\'s "two words" $HOME `id` \\ %20 & ü\u2019'


def commands(page: str) -> dict[str, str]:
    """What the page shows, by the id in the page."""
    found = re.findall(r'<code[^>]* id="([^"]+)">(.*?)</code>', page, re.DOTALL)
    return {id: html.unescape(text) for id, text in found}


class CallPageTests(PagesTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")

    def shown(self, url: str) -> dict[str, str]:
        return commands(self.get(url, self.carol).content.decode())

    def test_it_names_this_portal_and_this_job(self) -> None:
        shown = self.shown(URL)
        address = "http://testserver/scm/demo/api/triggeredwebjobs/nightly/run"
        self.assertEqual(shown["call-hook"], address)
        self.assertEqual(shown["call-user"], "$demo")
        full = "http://%24demo:PASSWORD@testserver/scm/demo/api/triggeredwebjobs/nightly/run"
        self.assertEqual(shown["call-full"], full)
        for tool in ("curl-1", "powershell-1", "python-1"):
            self.assertIn(address, shown[tool])
        self.assertEqual(shown["az-1"], "az webapp webjob triggered run -g any -n demo -w nightly")
        self.assertIn("http://testserver", shown["az-setup"])
        self.assertIn(f"-u {self.carol.username} ", shown["az-setup"])

    def test_no_secret_is_in_it(self) -> None:
        text = self.get(URL, self.carol).content.decode()
        self.assertNotIn(self.slot.publishing_password, text)

    def test_a_slot_has_its_own_address_and_user(self) -> None:
        slot = make_slot("demo", "staging")
        make_job(slot, "nightly")
        shown = self.shown(URL.replace("/demo/", "/demo/slots/staging/"))
        self.assertIn("/scm/demo/slots/staging/api/triggeredwebjobs/", shown["call-hook"])
        self.assertEqual(shown["call-user"], slot.publishing_user)
        self.assertIn("-n demo --slot staging -w nightly", shown["az-1"])

    @override_settings(SCM_DOMAIN="scm.example.org")
    def test_with_hosts_of_their_own_apps_are_called_there(self) -> None:
        shown = self.shown(URL)
        self.assertEqual(
            shown["call-hook"], "http://demo.scm.example.org/api/triggeredwebjobs/nightly/run"
        )

    def test_a_continuous_job_is_started_and_stopped(self) -> None:
        make_job(self.slot, "listener", type=JobType.CONTINUOUS)
        shown = self.shown("/apps/demo/webjobs/continuous/listener/call")
        self.assertNotIn("call-hook", shown)
        for index, action in enumerate(("start", "stop"), 1):
            for tool in ("curl", "powershell", "python"):
                self.assertIn(f"/continuouswebjobs/listener/{action}", shown[f"{tool}-{index}"])
            self.assertIn(f"continuous {action} ", shown[f"az-{index}"])

    def test_arguments_that_are_typed_are_in_the_commands(self) -> None:
        shown = self.shown(f"{URL}?arguments=--day%20%22last%20monday%22")
        self.assertIn("""'arguments=--day "last monday"'""", shown["curl-2"])
        self.assertIn("last%20monday", shown["powershell-2"])

    def test_readers_may_see_it_and_strangers_do_not_find_it(self) -> None:
        self.assert_for_members_only(URL)
        self.assertEqual(self.get(URL, self.carol).status_code, 200)
        self.assertEqual(self.get(URL.replace("nightly", "other"), self.carol).status_code, 404)

    def test_it_only_shows(self) -> None:
        self.client.force_login(self.carol)
        self.assertEqual(self.client.post(URL).status_code, 405)

    def test_the_job_leads_to_it_and_it_to_the_document_and_the_tokens(self) -> None:
        for path in (
            "/apps/demo/webjobs/triggered/nightly/properties",
            "/apps/demo/history/triggered/nightly/",
        ):
            self.assertContains(self.get(path, self.carol), f'href="{URL}"')
        page = self.get(URL, self.carol)
        self.assertContains(page, 'href="http://testserver/api/openapi.json"')
        self.assertContains(page, 'href="/tokens/"')


class QuotingTests(SimpleTestCase):
    """Nothing that a name or an argument holds is read by the shell or the language."""

    target = Target(
        url="https://portal/scm/demo/api/triggeredwebjobs/nightly",
        user="$it's",
        root="https://portal",
        app="demo",
        slot=None,
        type="triggered",
        name="nightly",
        person="o'neil $(id)",
    )
    call = Call("run", {"arguments": ODD})

    def shell(self, text: str) -> list[str]:
        """The words that a real shell makes of the command."""
        script = f'curl() {{ printf "%s\\0" "$@"; }}; az() {{ curl "$@"; }}; {text}'
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            env={"WEBJOBS_PASSWORD": "p$w 'x", "WEBJOBS_TOKEN": "t"},
            stdout=subprocess.PIPE,
            check=True,
        )
        return done.stdout.decode().split("\0")

    def test_a_shell_reads_curls_words_as_they_are(self) -> None:
        words = self.shell(examples.curl(self.target, self.call))
        self.assertIn("$it's:p$w 'x", words)
        self.assertIn(f"arguments={ODD}", words)

    def test_a_shell_reads_azs_words_as_they_are(self) -> None:
        self.assertIn("o'neil $(id)", self.shell(examples.az_setup(self.target)))

    def test_python_reads_the_texts_as_they_are(self) -> None:
        tree = ast.parse(examples.python(self.target, self.call))
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        self.assertIn("$it's:", texts)
        self.assertIn(ODD, texts)

    def test_powershell_sees_no_end_of_a_text_inside_it(self) -> None:
        self.assertEqual(examples.powershell_quote("a'b\u2019c$d"), "'a''b\u2019\u2019c$d'")
        text = examples.powershell(self.target, self.call)
        address = re.search("-Uri '([^']+)'$", text)
        assert address
        query = parse_qs(urlsplit(address[1]).query)
        self.assertEqual(query["arguments"], [ODD])
