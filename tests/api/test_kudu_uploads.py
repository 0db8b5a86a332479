"""Kudu: PUT of WebJobs, as zip, as script, and as part of a site."""

from __future__ import annotations

from tests.api.calling import ApiTestCase, zip_of
from tests.web.objects import make_run
from webjobs.models import Package, Run, Schedule, WebJob

JOB = "/scm/demo/api/triggeredwebjobs/nightly"
SITE = "/scm/demo/api/zip/site/wwwroot/"


class UploadTests(ApiTestCase):
    def test_a_zip_becomes_a_job_and_comes_back_as_document(self) -> None:
        files = {"run.sh": "echo hi", "settings.job": '{"schedule":"0 0 3 * * *"}'}
        response = self.upload(JOB, zip_of(files))
        self.assertEqual(response.status_code, 200)
        document = response.json()
        self.assertEqual((document["name"], document["run_command"]), ("nightly", "run.sh"))
        self.assertEqual(document["settings"], {"schedule": "0 0 3 * * *"})
        self.assertEqual(Package.objects.get().created_by, None)

    def test_a_single_script_needs_no_zip(self) -> None:
        for name in ("hello.sh", '"C:\\jobs\\hello.sh"', '"../../hello.sh"', "hello.sh; x=1"):
            with self.subTest(name):
                response = self.upload(JOB, b"echo hi", name, "application/octet-stream")
                self.assertEqual(response.status_code, 200, response.content)
                self.assertEqual(response.json()["run_command"], "hello.sh")

    def test_the_doubled_disposition_of_old_scripts_is_understood(self) -> None:
        response = self.put(
            JOB, data=b"echo hi", content_type="application/octet-stream",
            HTTP_CONTENT_DISPOSITION="attachment; attachment; filename=run.sh",
        )  # fmt: skip
        self.assertEqual(response.status_code, 200)

    def test_the_type_says_that_it_is_a_zip_whatever_the_name(self) -> None:
        response = self.upload(JOB, zip_of({"run.sh": "true"}), "whatever")
        self.assertEqual(response.status_code, 200)

    def test_without_a_file_name_it_is_400_in_kudus_words(self) -> None:
        for header in ({}, {"HTTP_CONTENT_DISPOSITION": "attachment"}):
            response = self.put(JOB, data=b"x", content_type="application/zip", **header)
            self.assertEqual(response.status_code, 400)
            self.assertEqual(response.content, b"Missing Content-Disposition header.")
            self.assertEqual(response["Content-Type"], "text/plain; charset=utf-8")

    def test_a_bad_upload_costs_neither_the_job_nor_its_history(self) -> None:
        self.upload(JOB, zip_of({"run.sh": "echo good"}))
        make_run(WebJob.objects.get())
        for data, words in {
            zip_of({"readme.txt": "x"}): b"No runnable script file was found",
            b"PK\x03\x04 broken": b"zip",
            b"": b"empty",
            zip_of({"run.sh": "x", "settings.job": '{"schedule":"never"}'}): b"schedule",
        }.items():
            with self.subTest(words):
                response = self.upload(JOB, data)
                self.assertEqual(response.status_code, 400)
                self.assertIn(words, response.content)
        self.assertEqual(WebJob.objects.get().script, "run.sh")
        self.assertEqual(Run.objects.count(), 1)

    def test_a_new_upload_keeps_schedule_and_history(self) -> None:
        self.upload(JOB, zip_of({"run.sh": "1", "settings.job": '{"schedule":"0 0 3 * * *"}'}))
        make_run(WebJob.objects.get())
        response = self.upload(JOB, zip_of({"other.py": "2"}))
        self.assertEqual(response.json()["run_command"], "other.py")
        self.assertEqual(Schedule.objects.get().expression, "0 0 3 * * *")
        self.assertEqual(Run.objects.count(), 1)

    def test_names_follow_the_rule(self) -> None:
        for name in ("-x", "a%20b", "a.b", "é", "x" * 101):
            with self.subTest(name):
                path = f"/scm/demo/api/triggeredwebjobs/{name}"
                self.assertEqual(self.upload(path, zip_of({"run.sh": ""})).status_code, 400)
        self.assertFalse(WebJob.objects.exists())

    def test_too_much_is_413_before_it_is_read(self) -> None:
        with self.settings(WEBJOBS_MAX_UPLOAD=1000):
            response = self.upload(JOB, b"x" * 1001)
        self.assertEqual(response.status_code, 413)
        self.assertFalse(WebJob.objects.exists())

    def test_uploading_is_for_contributors(self) -> None:
        for user, status in ((self.reader, 403), (self.operator, 403), (self.stranger, 404)):
            response = self.put(JOB, data=b"x", auth=self.of(user))
            self.assertEqual(response.status_code, status)


class SiteTests(ApiTestCase):
    def test_every_job_of_a_site_gets_its_files(self) -> None:
        site = {
            "app_data/jobs/triggered/nightly/run.sh": "echo 1",
            "app_data/jobs/triggered/nightly/settings.job": '{"schedule":"0 0 3 * * *"}',
            "app_data/jobs/continuous/worker/inner/run.py": "print(1)",
            "index.html": "<html>",
        }
        response = self.put(SITE, data=zip_of(site), content_type="application/zip")
        self.assertEqual((response.status_code, response.content), (200, b""))
        jobs = {(job.type, job.name, job.script) for job in WebJob.objects.all()}
        self.assertEqual(
            jobs, {("triggered", "nightly", "run.sh"), ("continuous", "worker", "inner/run.py")}
        )
        self.assertEqual(Schedule.objects.get().expression, "0 0 3 * * *")

    def test_the_slash_at_the_end_may_be_missing(self) -> None:
        site = zip_of({"app_data/jobs/triggered/nightly/run.sh": "echo 1"})
        self.assertEqual(self.put(SITE.rstrip("/"), data=site).status_code, 200)
        self.assertEqual(WebJob.objects.get().name, "nightly")

    def test_a_zip_may_be_put_into_the_folder_of_one_job(self) -> None:
        path = SITE + "app_data/jobs/triggered/nightly/"
        self.assertEqual(self.put(path, data=zip_of({"run.sh": "echo 1"})).status_code, 200)
        self.assertEqual(WebJob.objects.get().name, "nightly")

    def test_one_bad_job_and_nothing_changes(self) -> None:
        site = {
            "App_Data/jobs/triggered/good/run.sh": "echo 1",
            "App_Data/jobs/triggered/worse/readme.txt": "nothing",
        }
        response = self.put(SITE, data=zip_of(site))
        self.assertEqual(response.status_code, 400)
        self.assertIn(b"triggered/worse: No runnable script file was found", response.content)
        self.assertFalse(WebJob.objects.exists())

    def test_one_schedule_that_means_nothing_and_nothing_changes(self) -> None:
        self.upload(JOB, zip_of({"run.sh": "echo old"}))
        before = WebJob.objects.get().package
        site = {
            "App_Data/jobs/triggered/nightly/run.sh": "echo new",
            "App_Data/jobs/triggered/added/run.sh": "echo new",
            "App_Data/jobs/triggered/zulu/run.sh": "echo new",
            "App_Data/jobs/triggered/zulu/settings.job": '{"schedule":"61 * * * * *"}',
        }
        response = self.put(SITE, data=zip_of(site))
        self.assertEqual(response.status_code, 400)
        self.assertIn(b"triggered/zulu: schedule", response.content)
        self.assertEqual(WebJob.objects.get().package, before)

    def test_a_site_without_jobs_and_no_zip_are_400(self) -> None:
        for data in (zip_of({"index.html": ""}), b"nonsense", zip_of({"../../x": ""})):
            self.assertEqual(self.put(SITE, data=data).status_code, 400)

    def test_reading_it_is_not_offered(self) -> None:
        self.assertEqual(self.get(SITE).status_code, 405)
