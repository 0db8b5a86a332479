"""azure-mgmt-web against the portal: every call about WebJobs, with three ways to sign in.

Runs in an environment of its own. Arguments are environment variables; it fails by raising.
"""

# Its packages are not there where types are checked.
# mypy: ignore-errors

import base64
import os
import time

from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from azure.identity import ClientSecretCredential
from azure.mgmt.web import WebSiteManagementClient

URL, AUTHORITY = os.environ["PORTAL_URL"], os.environ["PORTAL_AUTHORITY"]
USER, SECRET = os.environ["PORTAL_USER"], os.environ["PORTAL_SECRET"]
APP, GROUP = os.environ["PORTAL_APP"], "rg1"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
MANY = 105


class Bearer:
    """The API token itself."""

    def get_token(self, *scopes, **options):
        return AccessToken(SECRET, int(time.time()) + 3600)


def client(credential, **options):
    return WebSiteManagementClient(
        credential,
        SUBSCRIPTION,
        base_url=URL,
        connection_verify=AUTHORITY,
        retry_total=0,
        **options,
    )


def by_basic(secret=SECRET):
    key = base64.b64encode(f"{USER}:{secret}".encode()).decode()
    policy = AzureKeyCredentialPolicy(AzureKeyCredential(key), "Authorization", prefix="Basic")
    return client(Bearer(), authentication_policy=policy)


def by_client_secret():
    credential = ClientSecretCredential(
        "contoso",
        USER,
        SECRET,
        authority=URL,
        disable_instance_discovery=True,
        connection_verify=AUTHORITY,
    )
    return client(credential)


def refused(kind, action):
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def check_reading(apps):
    names = {job.name for job in apps.list_web_jobs(GROUP, APP)}
    assert {f"{APP}/nightly", f"{APP}/worker"} <= names, names
    job = apps.get_web_job(GROUP, APP, "nightly")
    assert (job.web_job_type, job.run_command) == ("Triggered", "run.sh"), job
    triggered = apps.get_triggered_web_job(GROUP, APP, "nightly")
    assert triggered.web_job_type == "Triggered" and triggered.history_url, triggered
    assert triggered.settings == {"stopping_wait_time": 3}, triggered.settings
    continuous = apps.get_continuous_web_job(GROUP, APP, "worker")
    assert continuous.web_job_type == "Continuous" and continuous.status, continuous
    assert continuous.detailed_status and continuous.log_url, continuous
    assert any(job.name == f"{APP}/nightly" for job in apps.list_triggered_web_jobs(GROUP, APP))
    assert any(job.name == f"{APP}/worker" for job in apps.list_continuous_web_jobs(GROUP, APP))


def check_running(apps):
    assert apps.run_triggered_web_job(GROUP, APP, "nightly") is None
    while (latest := apps.get_triggered_web_job(GROUP, APP, "nightly").latest_run).end_time is None:
        time.sleep(0.2)
    assert latest.status == "Success", latest
    assert latest.web_job_id and latest.web_job_name and latest.trigger.startswith("External - ")
    assert latest.start_time.tzinfo and latest.duration.startswith("00:00:"), latest
    entries = list(apps.list_triggered_web_job_history(GROUP, APP, "nightly"))
    run = entries[0].runs[0]
    assert run.web_job_id == latest.web_job_id, entries[0]
    same = apps.get_triggered_web_job_history(GROUP, APP, "nightly", run.web_job_id)
    assert same.runs[0].status == "Success", same


def check_conflict(apps):
    apps.run_triggered_web_job(GROUP, APP, "slow")
    error = refused(ResourceExistsError, lambda: apps.run_triggered_web_job(GROUP, APP, "slow"))
    assert error.error.code == "Conflict" and "already running" in error.error.message, error


def check_continuous(apps):
    apps.stop_continuous_web_job(GROUP, APP, "worker")
    while apps.get_continuous_web_job(GROUP, APP, "worker").status != "Stopped":
        time.sleep(0.2)
    apps.start_continuous_web_job(GROUP, APP, "worker")
    while apps.get_continuous_web_job(GROUP, APP, "worker").status != "Running":
        time.sleep(0.2)


def check_refusals(apps):
    missing = refused(
        ResourceNotFoundError, lambda: apps.get_triggered_web_job(GROUP, APP, "nothing")
    )
    assert missing.error.code == "NotFound", missing
    refused(ResourceNotFoundError, lambda: apps.run_triggered_web_job(GROUP, APP, "nothing"))
    refused(ResourceNotFoundError, lambda: list(apps.list_web_jobs(GROUP, "no-such-app")))
    wrong = by_basic("wrong").web_apps
    refused(ClientAuthenticationError, lambda: list(wrong.list_web_jobs(GROUP, APP)))
    refused(HttpResponseError, lambda: apps.get_continuous_web_job(GROUP, APP, "nightly"))


def check_slot(apps):
    assert [job.name for job in apps.list_web_jobs_slot(GROUP, APP, "staging")] == [
        f"{APP}/staging/nightly"
    ]
    apps.run_triggered_web_job_slot(GROUP, APP, "nightly", "staging")
    entries = list(apps.list_triggered_web_job_history_slot(GROUP, APP, "nightly", "staging"))
    id = entries[0].runs[0].web_job_id
    assert apps.get_triggered_web_job_history_slot(GROUP, APP, "nightly", id, "staging").runs
    assert apps.get_triggered_web_job_slot(GROUP, APP, "nightly", "staging").run_command


def check_pages(apps):
    names = [job.name for job in apps.list_web_jobs(GROUP, "many")]
    assert len(names) == len(set(names)) == MANY, len(names)


def check_deleting(apps):
    for _ in range(2):
        apps.delete_triggered_web_job(GROUP, APP, "gone")
        apps.delete_continuous_web_job(GROUP, APP, "gone")
    refused(ResourceNotFoundError, lambda: apps.get_web_job(GROUP, APP, "gone"))


for apps in (by_basic().web_apps, client(Bearer()).web_apps, by_client_secret().web_apps):
    check_reading(apps)
    check_running(apps)
check_conflict(apps)
check_continuous(apps)
check_refusals(apps)
check_slot(apps)
check_pages(apps)
check_deleting(apps)
old = client(Bearer(), api_version="2015-08-01").web_apps
assert old.get_web_job(GROUP, APP, "nightly").run_command == "run.sh"
