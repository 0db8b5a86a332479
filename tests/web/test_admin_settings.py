"""App settings in the admin: written through dispatch, read by nobody."""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import TestCase, override_settings
from django.urls import reverse

from tests.web.objects import make_setting, make_slot
from webjobs.models import AppSetting, AuditEntry, Slot
from webjobs.models.setting import settings_of

SECRET = "hunter2-hunter2"


class AppSettingTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("admin"))
        self.slot = make_slot()

    def post(self, page: str, /, *args: object, **values: object) -> str:
        """Send the form and return the page that comes of it."""
        address = reverse(f"admin:webjobs_appsetting_{page}", args=args)
        return self.client.post(address, values, follow=True).content.decode()

    def test_a_new_value_is_kept_and_shown_nowhere(self) -> None:
        html = self.post("add", slot=self.slot.pk, name="Token", new_value=SECRET, is_secret="on")
        self.assertEqual(settings_of(self.slot), {"Token": SECRET})
        self.assertTrue(AppSetting.objects.get().is_secret)
        self.assertNotIn(SECRET, html)
        for rows in (AuditEntry.objects, LogEntry.objects):
            self.assertTrue(rows.exists())
            self.assertNotIn(SECRET, str(list(rows.values())))
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.action, entry.target), ("settings.change", "demo"))
        self.assertEqual(Slot.objects.get().settings_revision, 2)

    def test_an_empty_value_keeps_what_is_there(self) -> None:
        setting = make_setting(self.slot, "Token", SECRET)
        self.post("change", setting.pk, new_value="", is_slot_setting="on")
        setting.refresh_from_db()
        self.assertEqual((setting.value, setting.is_slot_setting), (SECRET, True))

    def test_a_changed_value_replaces_the_old_one(self) -> None:
        setting = make_setting(self.slot, "Token", SECRET)
        self.post("change", setting.pk, new_value="other", name="Renamed")
        self.assertEqual(settings_of(self.slot), {"Token": "other"})

    def test_a_value_that_the_engine_cannot_use_is_told_beside_the_field(self) -> None:
        html = self.post("add", slot=self.slot.pk, name="WEBJOBS_IDLE_TIMEOUT", new_value="soon")
        self.assertIn("must be a whole number", html)
        self.assertFalse(AppSetting.objects.exists())
        self.assertFalse(AuditEntry.objects.exists())

    def test_a_bad_value_of_another_setting_is_told_as_a_message(self) -> None:
        make_setting(self.slot, "WEBJOBS_IDLE_TIMEOUT", "soon")
        html = self.post("add", slot=self.slot.pk, name="GOOD", new_value="1")
        self.assertIn("WEBJOBS_IDLE_TIMEOUT: must be a whole number", html)
        self.assertFalse(AppSetting.objects.filter(name="GOOD").exists())
        self.assertFalse(LogEntry.objects.exists())

    def test_bad_and_taken_names_are_told_beside_the_field(self) -> None:
        make_setting(self.slot, "Token", SECRET)
        for name in ("TOKEN", "a b", "a=b", ""):
            with self.subTest(name):
                html = self.post("add", slot=self.slot.pk, name=name, new_value="1")
                self.assertIn("errorlist", html)
        self.assertEqual(AppSetting.objects.count(), 1)

    def test_a_null_character_is_refused(self) -> None:
        html = self.post("add", slot=self.slot.pk, name="A", new_value="a\0b")
        self.assertIn("null character", html.lower())
        self.assertFalse(AppSetting.objects.exists())

    def test_one_or_many_are_deleted_through_dispatch(self) -> None:
        rows = [make_setting(self.slot, name, "1") for name in ("A", "B", "C")]
        self.post("delete", rows[0].pk, post="yes")
        self.post(
            "changelist", action="delete_selected", post="yes",
            _selected_action=[rows[1].pk, rows[2].pk],
        )  # fmt: skip
        self.assertFalse(AppSetting.objects.exists())
        names = AuditEntry.objects.order_by("pk").values_list("details__names", flat=True)
        self.assertEqual(list(names), [["A"], ["B"], ["C"]])
        self.assertEqual(Slot.objects.get().settings_revision, 4)

    def test_the_list_opens_also_when_values_can_no_longer_be_read(self) -> None:
        setting = make_setting(self.slot, "Token", SECRET)
        with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
            self.client.force_login(User.objects.get())
            for name, args in (("changelist", []), ("change", [setting.pk])):
                page = self.client.get(reverse(f"admin:webjobs_appsetting_{name}", args=args))
                self.assertContains(page, "Token")
