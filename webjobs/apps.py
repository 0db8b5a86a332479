from django.apps import AppConfig


class WebJobsConfig(AppConfig):
    name = "webjobs"
    verbose_name = "WebJobs"
