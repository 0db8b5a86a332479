from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def note_present_packages(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What serves is version 1 of every WebJob."""
    version = apps.get_model("webjobs", "PackageVersion")
    jobs = apps.get_model("webjobs", "WebJob").objects.select_related("package__created_by")
    version.objects.bulk_create(
        (
            version(
                job=job,
                number=1,
                package=job.package,
                # The package may have been there before, with another WebJob.
                created_at=max(job.created_at, job.package.created_at),
                created_by=job.package.created_by,
                by_name=job.package.created_by.username if job.package.created_by else "",
            )
            for job in jobs.order_by("pk").iterator(chunk_size=500)
        ),
        batch_size=100,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("webjobs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PackageVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="1 for the first of its WebJob")),
                ("created_at", models.DateTimeField()),
                (
                    "by_name",
                    models.CharField(
                        help_text="Stays readable when the person is gone", max_length=150
                    ),
                ),
                ("restored", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="webjobs.webjob",
                    ),
                ),
                (
                    "package",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="webjobs.package",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("job", "number"), name="version_number_unique_in_job"
                    )
                ],
            },
        ),
        migrations.RunPython(note_present_packages, migrations.RunPython.noop),
    ]
