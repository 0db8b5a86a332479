"""Several changes of app settings at once, and the advanced edit."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.web.objects import ALICE, make_setting
from tests.web.pages import PagesTestCase
from webjobs import dispatch
from webjobs.dispatch import SettingChange
from webjobs.models import AppSetting, AuditEntry, Slot

URL = "/apps/demo/settings/"
APPLY = URL + "apply"
ADVANCED = URL + "advanced"


def wish(setting: AppSetting | None = None, **values: Any) -> dict[str, Any]:
    """A change of `setting`, or a new one, as the page's script sends it."""
    if setting is None:
        return {"was": "", "seen": "", "value": "", **values}
    marks = {"slotSetting": setting.is_slot_setting, "secret": setting.is_secret}
    base = {"was": setting.name, "seen": setting.version, "name": setting.name, "value": None}
    return {**base, **marks, **values}


def values() -> dict[str, str]:
    return {setting.name: setting.value for setting in AppSetting.objects.all()}


class ApplyTests(PagesTestCase):
    def apply(self, *wishes: dict[str, Any], **data: str) -> Any:
        return self.post(APPLY, {"changes": json.dumps(wishes), **data})

    def test_it_adds_changes_renames_and_deletes_in_one_go(self) -> None:
        changed = make_setting(self.slot, "CHANGED", "old")
        renamed = make_setting(self.slot, "BEFORE", "same", is_secret=True)
        gone = make_setting(self.slot, "GONE", "x")
        before = Slot.objects.get().settings_revision
        answer = self.apply(
            wish(name="ADDED", value="new", slotSetting=True),
            wish(changed, value="newer"),
            wish(renamed, name="AFTER"),
            wish(gone, name=""),
        )
        self.assertEqual(answer.json()["message"], "Successfully updated web app settings")
        self.assertEqual(values(), {"ADDED": "new", "AFTER": "same", "CHANGED": "newer"})
        self.assertTrue(AppSetting.objects.get(name="ADDED").is_slot_setting)
        self.assertTrue(AppSetting.objects.get(name="AFTER").is_secret)
        self.assertEqual(Slot.objects.get().settings_revision, before + 1)
        entry = AuditEntry.objects.get()
        self.assertEqual(entry.details["names"], ["ADDED", "AFTER", "BEFORE", "CHANGED", "GONE"])

    def test_what_no_database_takes_is_told_and_no_fault_of_the_portal(self) -> None:
        for key in ("was", "seen", "name", "value"):
            for text in ("\ud800", "\0"):
                with self.subTest(key=key, text=text):
                    answer = self.apply(wish(None, **{"name": "A", key: text}))
                    self.assertEqual(answer.status_code, 400)
                    self.assertTrue(answer.json()["error"])
        version = str(Slot.objects.get().settings_revision)
        text = '[{"name": "A", "value": "\\ud800"}]'
        page = self.post(ADVANCED, {"json": text, "version": version}, script=False)
        self.assertContains(page, "half a character", status_code=400)
        self.assertContains(page, "&quot;A&quot;", status_code=400)
        self.assertEqual(values(), {})

    def test_two_can_swap_their_names(self) -> None:
        one, two = make_setting(self.slot, "ONE", "1"), make_setting(self.slot, "TWO", "2")
        self.assertEqual(self.apply(wish(one, name="TWO"), wish(two, name="ONE")).status_code, 200)
        self.assertEqual(values(), {"ONE": "2", "TWO": "1"})

    def test_one_that_cannot_be_leaves_all_as_it_was(self) -> None:
        setting = make_setting(self.slot, "GREETING", "hello")
        answer = self.apply(
            wish(setting, value="bye"), wish(name="WEBJOBS_RESTART_TIME", value="soon")
        )
        self.assertEqual(answer.status_code, 400)
        (problem,) = answer.json()["problems"]
        self.assertEqual((problem["index"], problem["field"]), (1, "value"))
        self.assertIn("must be a whole number", problem["message"])
        self.assertIn("Failed to update web app settings: ", answer.json()["error"])
        self.assertEqual(values(), {"GREETING": "hello"})

    def test_names_must_be_there_readable_and_unique(self) -> None:
        make_setting(self.slot, "GREETING", "hello")
        for names, field in [(["greeting"], 0), (["A B"], 0), ([""], 0), (["x", "X"], 1)]:
            with self.subTest(names=names):
                answer = self.apply(*(wish(name=name, value="x") for name in names), check="1")
                (problem,) = answer.json()["problems"]
                self.assertEqual((problem["index"], problem["field"]), (field, "name"))
        self.assertEqual(values(), {"GREETING": "hello"})

    def test_check_only_tells(self) -> None:
        self.assertEqual(self.apply(wish(name="A", value="x"), check="1").json(), {})
        bad = self.apply(wish(name="A B", value="x"), check="1")
        self.assertEqual(bad.status_code, 400)
        self.assertEqual(values(), {})

    def test_who_comes_second_is_told_what_changed_and_by_whom(self) -> None:
        changed = make_setting(self.slot, "CHANGED", "old")
        deleted = make_setting(self.slot, "DELETED", "old")
        other = make_setting(self.slot, "OTHER", "old")
        theirs = [
            SettingChange("CHANGED", "theirs"),
            SettingChange("DELETED", None),
            SettingChange("ADDED", "theirs"),
        ]
        dispatch.change_settings(self.slot, theirs, ALICE)
        answer = self.apply(
            wish(changed, value="ours"),
            wish(deleted, value="ours"),
            wish(name="ADDED", value="ours"),
            wish(other, value="ours"),
        )
        self.assertEqual(answer.status_code, 409)
        self.assertEqual(
            [conflict["words"] for conflict in answer.json()["conflicts"]],
            [
                "CHANGED was changed by alice.",
                "DELETED was deleted by alice.",
                "ADDED was added by alice.",
            ],
        )
        self.assertEqual(values(), {"CHANGED": "theirs", "ADDED": "theirs", "OTHER": "old"})

    def test_changes_of_others_to_other_settings_are_kept(self) -> None:
        ours = make_setting(self.slot, "OURS", "old")
        dispatch.change_settings(self.slot, [SettingChange("THEIRS", "new")], ALICE)
        self.assertEqual(self.apply(wish(ours, value="new")).status_code, 200)
        self.assertEqual(values(), {"OURS": "new", "THEIRS": "new"})

    def test_a_secret_does_not_lose_its_mark_without_a_new_value(self) -> None:
        secret = make_setting(self.slot, "API_KEY", "secret-value", is_secret=True)
        for change in [wish(secret, secret=False), wish(secret, secret=False, name="PUBLIC")]:
            answer = self.apply(change)
            self.assertIn("needs a new value", answer.json()["error"])
        self.assertTrue(AppSetting.objects.get(name="API_KEY").is_secret)
        self.assertEqual(self.apply(wish(secret, secret=False, value="public")).status_code, 200)

    def test_what_is_no_list_of_changes_is_refused(self) -> None:
        for text in ["", "{", "{}", "[1]", '[{"name": 1}]', '[{"name": "A", "value": 2}]']:
            with self.subTest(text=text):
                answer = self.post(APPLY, {"changes": text})
                self.assertEqual(answer.status_code, 400)
                self.assertTrue(answer.json()["error"])

    def test_it_is_for_contributors(self) -> None:
        self.assert_refused_to(APPLY, self.carol, self.bob)
        self.assert_method_refused(APPLY, "get")
        self.assert_for_members_only(APPLY, method="post")


class AdvancedTests(PagesTestCase):
    def refusal(self, text: str) -> str:
        answer = self.post(ADVANCED, {"json": text})
        self.assertEqual(answer.status_code, 400)
        found: str = answer.json()["errors"]["json"][0]
        return found

    def test_each_mistake_has_azures_words(self) -> None:
        one = '{"name": "A", "value": "x"'
        for text, words in [
            ("[{", "Invalid JSON object (line 1, column 3)"),
            ("[1]", "Invalid JSON object"),
            ("{}", "App setting values must be an array"),
            (
                '[{"name": "A", "value": 3}]',
                "All app setting value and name properties must be of type string",
            ),
            (
                '[{"name": 4, "value": "x"}]',
                "All app setting value and name properties must be of type string",
            ),
            (f'[{one}, "colour": 1}}]', "colour is an invalid app setting property"),
            (
                f'[{one}, "slotSetting": "yes"}}]',
                "All deployment slot setting properties must be of type boolean",
            ),
            (f'[{one}}}, {{"name": "a", "value": "y"}}]', "App setting names must be unique"),
            ('[{"name": "A"}]', "value is a required property on all application settings"),
            ('[{"value": "x"}]', "name is a required property on all application settings"),
        ]:
            with self.subTest(text=text):
                self.assertEqual(self.refusal(text), words)

    def test_no_value_is_in_the_page(self) -> None:
        make_setting(self.slot, "GREETING", "hello-value")
        make_setting(self.slot, "API_KEY", "secret-value", is_secret=True)
        page = self.get(ADVANCED)
        self.assertContains(page, "&quot;value&quot;: null", count=2)
        self.assertNotContains(page, "hello-value")
        self.assertNotContains(page, "secret-value")

    def test_null_is_no_value_for_a_new_setting(self) -> None:
        words = "All app setting value and name properties must be of type string"
        self.assertEqual(self.refusal('[{"name": "NEW", "value": null}]'), words)

    def test_the_script_gets_back_what_it_sent(self) -> None:
        make_setting(self.slot, "KEPT", "x")
        text = '[{"name": "KEPT", "value": null}, {"name": "N", "value": "1", "slotSetting": true}]'
        self.assertEqual(
            self.post(ADVANCED, {"json": text}).json()["settings"],
            [
                {"name": "KEPT", "value": None, "slotSetting": None},
                {"name": "N", "value": "1", "slotSetting": True},
            ],
        )
        self.assertEqual(values(), {"KEPT": "x"})

    def test_without_script_it_applies_at_once(self) -> None:
        make_setting(self.slot, "API_KEY", "secret-value", is_secret=True)
        make_setting(self.slot, "GONE", "x")
        entries = [{"name": "API_KEY", "value": None, "slotSetting": True},
                   {"name": "NEW", "value": "1"}]  # fmt: skip
        data = {"json": json.dumps(entries), "version": str(self.slot.settings_revision)}
        self.assertRedirects(self.post(ADVANCED, data, script=False), URL)
        self.assertEqual(values(), {"API_KEY": "secret-value", "NEW": "1"})
        secret = AppSetting.objects.get(name="API_KEY")
        self.assertEqual((secret.is_secret, secret.is_slot_setting), (True, True))

    def test_without_script_it_can_be_undone(self) -> None:
        make_setting(self.slot, "API_KEY", "secret-value", is_secret=True)
        data = {"json": "[]", "version": str(self.slot.settings_revision)}
        page = self.client.get(self.post(ADVANCED, data, script=False)["Location"])
        self.assertEqual(values(), {})
        (address,) = re.findall(r'action="(/undo/[^"]+)"', page.content.decode())
        self.assertNotIn("secret-value", str(self.client.session["undo"]))
        self.post(address, script=False)
        self.assertEqual(values(), {"API_KEY": "secret-value"})
        self.assertTrue(AppSetting.objects.get().is_secret)

    def test_without_script_nothing_changed_has_no_undo(self) -> None:
        data = {"json": "[]", "version": str(self.slot.settings_revision)}
        page = self.client.get(self.post(ADVANCED, data, script=False)["Location"])
        self.assertNotContains(page, "/undo/")

    def test_without_script_nothing_of_others_is_overwritten_unasked(self) -> None:
        version = self.slot.settings_revision
        dispatch.change_settings(self.slot, [SettingChange("THEIRS", "x")], ALICE)
        data = {"json": '[{"name": "OURS", "value": "1"}]', "version": str(version)}
        page = self.post(ADVANCED, data, script=False)
        self.assertContains(page, "Somebody else has changed settings", status_code=400)
        self.assertContains(page, "OURS", status_code=400)
        self.assertEqual(values(), {"THEIRS": "x"})

    def test_it_is_for_contributors(self) -> None:
        self.assert_refused_to(ADVANCED, self.carol, self.bob)
        self.assert_for_members_only(ADVANCED)


class SeenTests(PagesTestCase):
    def test_the_plain_form_tells_of_changes_of_others(self) -> None:
        setting = make_setting(self.slot, "GREETING", "hello")
        dispatch.change_settings(self.slot, [SettingChange("GREETING", "theirs")], ALICE)
        data = {"name": "GREETING", "value": "ours", "seen": setting.version}
        page = self.post(URL + "GREETING/edit", data, script=False)
        self.assertContains(page, "GREETING was changed by alice.", status_code=400)
        self.assertContains(page, "ours", status_code=400)
        self.assertEqual(values(), {"GREETING": "theirs"})

    def test_the_plain_form_keeps_secrets_secret(self) -> None:
        make_setting(self.slot, "API_KEY", "secret-value", is_secret=True)
        answer = self.post(URL + "API_KEY/edit", {"name": "API_KEY", "keep_value": "on"})
        self.assertEqual(list(answer.json()["errors"]), ["value"])
        self.assertTrue(AppSetting.objects.get().is_secret)
