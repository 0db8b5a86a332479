from __future__ import annotations

import re

from tests.web.objects import make_job, make_run
from tests.web.pages import FRAGMENT, PagesTestCase
from webjobs.models.setting import ENGINE_PREFIXES, SettingError, engine_settings
from webjobs.states import CopyStatus, JobType, RunStatus
from webjobs.views.help import SETTINGS, STATUSES


class HelpTests(PagesTestCase):
    def test_every_status_of_the_engine_is_explained(self) -> None:
        known = {str(status) for status in [*RunStatus, *CopyStatus]} | {"Ready"}
        self.assertEqual(set(STATUSES), known)

    def test_every_setting_that_it_names_steers_the_engine(self) -> None:
        for name in SETTINGS:
            self.assertTrue(name.startswith(ENGINE_PREFIXES), name)
            if name not in {"WEBJOBS_STOPPED", "WEBJOBS_DISABLE_SCHEDULE"}:
                with self.assertRaises(SettingError):
                    engine_settings({name: "nonsense"})

    def test_what_pages_link_to_is_there(self) -> None:
        job = make_job(self.slot)
        run = make_run(job)
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        anchors = set(re.findall(r'id="([^"]+)"', self.get("/help/").content.decode()))
        pages = [
            "/apps/demo/webjobs/add",
            "/apps/demo/webjobs/triggered/nightly/properties",
            "/apps/demo/webjobs/continuous/listener/properties",
            f"/apps/demo/history/triggered/nightly/runs/{run.number}/",
            "/apps/demo/settings/add",
        ]
        for url in pages:
            with self.subTest(url):
                links = re.findall(r'href="/help/#([^"]+)"', self.get(url).content.decode())
                self.assertTrue(links)
                self.assertLessEqual(set(links), anchors)

    def test_it_is_in_the_menu_and_in_french(self) -> None:
        self.assertContains(self.get("/apps/"), 'href="/help/"')
        page = self.get("/help/", accept_language="fr")
        self.assertContains(page, "Toutes les 5 minutes")
        self.assertContains(page, "En cours d’exécution")

    def test_the_panel_suggests_the_settings(self) -> None:
        self.client.force_login(self.alice)
        answer = self.client.get("/apps/demo/settings/add", headers=FRAGMENT)
        self.assertContains(answer, '<option value="WEBJOBS_IDLE_TIMEOUT">')
        self.assertContains(answer, 'list="setting-names"')

    def test_a_status_in_the_grid_says_why_and_what_it_means(self) -> None:
        make_run(make_job(self.slot), RunStatus.FAILED, reason="It said <no>.")
        self.assertContains(
            self.get("/apps/demo/webjobs/"),
            'data-tip title="It said &lt;no&gt;.\nThe script ended with another exit code than 0',
        )
