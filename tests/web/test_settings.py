from tests.web.objects import make_setting
from tests.web.pages import PagesTestCase
from webjobs.models import AppSetting, AuditEntry

URL = "/apps/demo/settings/"


class SettingsTests(PagesTestCase):
    def test_it_lists_names_and_never_a_value(self) -> None:
        make_setting(self.slot, "GREETING", "hello-value", is_slot_setting=True)
        make_setting(self.slot, "API_KEY", "secret-value", is_secret=True)
        for user in (self.alice, self.carol):
            response = self.get(URL, user)
            self.assertContains(response, "GREETING")
            self.assertContains(response, "Deployment Slot Setting Enabled")
            self.assertNotContains(response, "hello-value")
            self.assertNotContains(response, "secret-value")

    def test_it_says_so_when_there_is_none(self) -> None:
        self.assertContains(self.get(URL), "(no application settings to display)")

    def test_a_reader_sees_no_way_to_change(self) -> None:
        make_setting(self.slot, "GREETING", "hello")
        response = self.get(URL, self.carol)
        self.assertNotContains(response, "/settings/GREETING/edit")
        self.assertContains(response, "this needs Operator")

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(URL)
        self.assert_method_refused(URL, "post")


class SettingEditTests(PagesTestCase):
    def test_it_adds_a_setting(self) -> None:
        data = {"name": "GREETING", "value": " hello\nworld ", "is_slot_setting": "on"}
        response = self.post(URL + "add", data)
        self.assertEqual(response.json()["message"], "Successfully updated web app settings")
        setting = AppSetting.objects.get()
        # A browser sends CRLF for the line ends of a textarea.
        self.assertEqual(setting.value, " hello\nworld ")
        self.assertEqual((setting.is_slot_setting, setting.is_secret), (True, False))
        entry = AuditEntry.objects.get()
        self.assertEqual(entry.action, "settings.change")
        self.assertNotIn("hello", str(entry.details))

    def test_it_changes_value_and_marks(self) -> None:
        make_setting(self.slot, "GREETING", "hello")
        self.post(URL + "GREETING/edit", {"name": "GREETING", "value": "bye", "is_secret": "on"})
        setting = AppSetting.objects.get()
        self.assertEqual((setting.value, setting.is_secret), ("bye", True))

    def test_the_value_can_stay_without_being_shown(self) -> None:
        make_setting(self.slot, "API_KEY", "secret-value", is_secret=True)
        page = self.get(URL + "API_KEY/edit")
        self.assertNotContains(page, "secret-value")
        data = {"name": "API_KEY", "keep_value": "on", "is_secret": "on", "is_slot_setting": "on"}
        self.post(URL + "API_KEY/edit", data)
        setting = AppSetting.objects.get()
        self.assertEqual((setting.value, setting.is_slot_setting), ("secret-value", True))

    def test_it_renames(self) -> None:
        make_setting(self.slot, "OLD", "hello")
        self.post(URL + "OLD/edit", {"name": "NEW", "keep_value": "on"})
        setting = AppSetting.objects.get()
        self.assertEqual((setting.name, setting.value), ("NEW", "hello"))

    def test_a_bad_name_is_refused_beside_the_field(self) -> None:
        make_setting(self.slot, "GREETING", "hello")
        for name in ["", "greeting", "A B", "A=B", "é", "x" * 256]:
            with self.subTest(name=name):
                response = self.post(URL + "add", {"name": name, "value": "x"})
                self.assertEqual(response.status_code, 400)
                self.assertEqual(list(response.json()["errors"]), ["name"])

    def test_what_the_engine_cannot_use_is_refused_beside_the_value(self) -> None:
        for name, value in [
            ("WEBJOBS_RESTART_TIME", "soon"),
            ("WEBJOBS_HISTORY_SIZE", "0"),
            ("WEBSITE_TIME_ZONE", "Mars/Base"),
        ]:
            with self.subTest(name=name):
                response = self.post(URL + "add", {"name": name, "value": value})
                self.assertIn(name, response.json()["errors"]["value"][0])
        self.assertFalse(AppSetting.objects.exists())

    def test_without_script_what_was_typed_stays(self) -> None:
        response = self.post(URL + "add", {"name": "A B", "value": "kept"}, script=False)
        self.assertContains(response, 'value="A B"', status_code=400)
        self.assertContains(response, "kept", status_code=400)

    def test_only_contributors_change(self) -> None:
        make_setting(self.slot, "GREETING", "hello")
        for url in (URL + "add", URL + "GREETING/edit", URL + "GREETING/delete"):
            self.assert_refused_to(url, self.bob, self.carol)
            self.assert_for_members_only(url, method="post")
            self.assert_method_refused(url, "put")

    def test_an_unknown_setting_is_not_found(self) -> None:
        self.assertEqual(self.get(URL + "NONE/edit").status_code, 404)
        self.assertEqual(self.post(URL + "NONE/delete").status_code, 404)


class SettingDeleteTests(PagesTestCase):
    def setUp(self) -> None:
        make_setting(self.slot, "GREETING", "hello")

    def test_it_asks_first_and_then_deletes(self) -> None:
        self.assertContains(self.get(URL + "GREETING/delete"), "Your app may restart")
        self.assertTrue(AppSetting.objects.exists())
        response = self.post(URL + "GREETING/delete", script=False)
        self.assertRedirects(response, URL)
        self.assertFalse(AppSetting.objects.exists())


class SettingRevealTests(PagesTestCase):
    url = URL + "reveal"

    def setUp(self) -> None:
        make_setting(self.slot, "GREETING", "hello")
        make_setting(self.slot, "OTHER", "world")
        make_setting(self.slot, "API_KEY", "secret-value", is_secret=True)

    def test_it_shows_one_value_which_is_recorded(self) -> None:
        response = self.post(self.url, {"name": "greeting"}, self.bob)
        self.assertEqual(response.json(), {"values": {"GREETING": "hello"}})
        self.assertIn("no-store", response.headers["Cache-Control"])
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.action, entry.user), ("settings.reveal", self.bob))
        self.assertEqual(entry.details, {"names": ["GREETING"]})

    def test_it_shows_all_but_those_marked_secret(self) -> None:
        values = self.post(self.url).json()["values"]
        self.assertEqual(values, {"GREETING": "hello", "OTHER": "world"})
        self.assertEqual(self.post(self.url, {"name": "API_KEY"}).json(), {"values": {}})

    def test_a_reader_may_not(self) -> None:
        self.assert_refused_to(self.url, self.carol)
        self.assert_for_members_only(self.url, method="post")
        self.assert_method_refused(self.url, "get")
        self.assertFalse(AuditEntry.objects.exists())
