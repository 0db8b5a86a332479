from django.contrib.auth.models import User

from tests.web.objects import make_job, make_slot
from tests.web.pages import JSON, PagesTestCase
from webjobs.models import App, AuditEntry


class AppsTests(PagesTestCase):
    def test_it_lists_only_the_apps_of_the_viewer(self) -> None:
        make_slot("other")
        response = self.get("/apps/", self.carol)
        self.assertContains(response, "/apps/demo/webjobs/")
        self.assertNotContains(response, "other")

    def test_they_stand_in_the_order_of_their_names(self) -> None:
        make_slot("zebra")
        make_slot("ant")
        admin = User.objects.create_superuser("root")
        listed = [app.name for app in self.get("/apps/", admin).context["apps"]]
        self.assertEqual(listed, ["ant", "demo", "zebra"])

    def test_the_webjobs_counted_are_those_that_its_page_lists(self) -> None:
        make_job(self.slot, "nightly")
        make_job(make_slot("demo", "staging"), "nightly")
        make_job(self.slot, "gone").delete()
        make_slot("empty")
        admin = User.objects.create_superuser("root")
        counts = {app.name: app.jobs for app in self.get("/apps/", admin).context["apps"]}
        self.assertEqual(counts, {"demo": 1, "empty": 0})

    def test_a_stranger_is_told_whom_to_ask(self) -> None:
        self.assertContains(self.get("/apps/", self.dave), "Ask an administrator")

    def test_a_superuser_sees_all(self) -> None:
        make_slot("other")
        admin = User.objects.create_superuser("root")
        self.assertContains(self.get("/apps/", admin), "other")

    def test_it_filters_by_name(self) -> None:
        self.assertContains(self.get("/apps/?q=DEM"), "/apps/demo/webjobs/")
        response = self.get("/apps/?q=nothing")
        self.assertNotContains(response, "/apps/demo/webjobs/")
        self.assertContains(response, "No app has")

    def test_it_asks_to_sign_in(self) -> None:
        self.assertRedirects(self.client.get("/apps/"), "/sign-in?next=/apps/")

    def test_it_rejects_post(self) -> None:
        self.assert_method_refused("/apps/", "post")

    def test_home_leads_to_the_list(self) -> None:
        self.assertRedirects(self.get("/"), "/apps/")


class AppAddTests(PagesTestCase):
    def setUp(self) -> None:
        self.admin = User.objects.create_superuser("root")

    def test_a_superuser_creates_an_app_which_is_recorded(self) -> None:
        response = self.post("/apps/add", {"name": "shop"}, self.admin)
        self.assertEqual(response.json()["url"], "/apps/shop/webjobs/")
        self.assertEqual(App.objects.get(name="shop").slots.get().name, "production")
        self.assertEqual(AuditEntry.objects.get().action, "app.create")

    def test_without_script_it_leads_to_the_new_app(self) -> None:
        response = self.post("/apps/add", {"name": "shop"}, self.admin, script=False)
        self.assertRedirects(response, "/apps/shop/webjobs/")

    def test_it_says_beside_the_field_what_is_wrong_with_the_name(self) -> None:
        for name, words in [("", "required"), ("-a", "start with"), ("DEMO", "exists already")]:
            with self.subTest(name=name):
                response = self.post("/apps/add", {"name": name}, self.admin)
                self.assertEqual(response.status_code, 400)
                self.assertIn(words, response.json()["errors"]["name"][0])

    def test_the_page_keeps_what_was_typed(self) -> None:
        response = self.post("/apps/add", {"name": "no good"}, self.admin, script=False)
        self.assertContains(response, 'value="no good"', status_code=400)

    def test_others_may_not(self) -> None:
        self.client.force_login(self.alice)
        response = self.client.post("/apps/add", {"name": "shop"}, headers=JSON)
        self.assertEqual(response.status_code, 403)
        self.assertFalse(App.objects.filter(name="shop").exists())


class SignInTests(PagesTestCase):
    def test_it_signs_in_and_goes_on(self) -> None:
        data = {"username": "alice", "password": "correct-horse-9", "next": "/apps/demo/webjobs/"}
        self.assertRedirects(self.client.post("/sign-in", data), "/apps/demo/webjobs/")

    def test_it_never_leads_to_another_site(self) -> None:
        data = {"username": "alice", "password": "correct-horse-9", "next": "https://evil.test/"}
        self.assertRedirects(self.client.post("/sign-in", data), "/apps/")

    def test_a_wrong_password_is_answered_without_saying_which_part_was_wrong(self) -> None:
        response = self.client.post("/sign-in", {"username": "alice", "password": "no"})
        self.assertContains(response, "user name or password is incorrect")

    def test_signing_out_needs_a_post(self) -> None:
        self.assert_method_refused("/sign-out", "get")
        self.assertRedirects(self.client.post("/sign-out"), "/sign-in")

    def test_the_words_of_the_scripts_need_no_sign_in(self) -> None:
        response = self.client.get("/words.js")
        self.assertEqual(response.status_code, 200)
        self.assertIn("javascript", response.headers["Content-Type"])
