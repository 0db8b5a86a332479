from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def note_files(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Of the packages that there are; what is unused goes once it has been so for a while."""
    packages = apps.get_model("webjobs", "Package").objects.order_by()
    files = apps.get_model("webjobs", "PackageFile").objects
    now = timezone.now()
    hashes = packages.values_list("sha256", flat=True).distinct()
    files.bulk_create([files.model(sha256=sha256, wanted_at=now) for sha256 in hashes])


class Migration(migrations.Migration):
    dependencies = [
        ("webjobs", "0005_debug_sessions"),
    ]

    operations = [
        migrations.CreateModel(
            name="PackageFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("wanted_at", models.DateTimeField(help_text="When it was uploaded last")),
                (
                    "removing_at",
                    models.DateTimeField(blank=True, help_text="Its packages are gone", null=True),
                ),
            ],
        ),
        migrations.RunPython(note_files, migrations.RunPython.noop),
    ]
