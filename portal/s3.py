"""Packages in a bucket that speaks S3, through django-storages. Imported only where it is asked
for: the packages of requirements-s3.txt are optional.

Its failures are OSErrors, as those of a folder are, so that the engine knows one kind only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

from portal.config import Bucket

# An upload waits for the answer, so a storage that is away must show soon.
CONNECT_SECONDS = 3
READ_SECONDS = 20
ATTEMPTS = 2
# What is fetched goes to the disk beyond this.
MEMORY_BYTES = 1024 * 1024
NOT_FOUND = 404


class PackageStorage(S3Storage):
    """A bucket. Every method raises OSError when it does not answer or refuses."""

    def check(self) -> None:
        """Raises OSError unless the bucket is there and this portal may use it."""
        with _as_os_errors():
            self.connection.meta.client.head_bucket(Bucket=self.bucket_name)

    def exists(self, name: str) -> bool:
        with _as_os_errors():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with _as_os_errors():
            return int(super().size(name))

    def delete(self, name: str) -> None:
        with _as_os_errors():
            super().delete(name)

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with _as_os_errors():
            folders, files = super().listdir(name)
            return folders, files

    def get_modified_time(self, name: str) -> datetime:
        with _as_os_errors():
            modified: datetime = super().get_modified_time(name)
            return modified

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with _as_os_errors():
            opened: File[bytes] = super()._open(name, mode)
            # The bytes come only now, and what can fail must fail here.
            opened.open()
            return opened

    def _save(self, name: str, content: File[bytes]) -> str:
        with _as_os_errors():
            return str(super()._save(name, content))


def storage(bucket: Bucket) -> dict[str, Any]:
    """The entry of STORAGES for `bucket`."""
    return {
        "BACKEND": "portal.s3.PackageStorage",
        "OPTIONS": {
            "bucket_name": bucket.name,
            "location": bucket.prefix,
            "endpoint_url": bucket.endpoint or None,
            "region_name": bucket.region or None,
            "access_key": bucket.key_id or None,
            "secret_key": bucket.secret_key or None,
            "file_overwrite": True,
            "querystring_auth": False,
            "max_memory_size": MEMORY_BYTES,
            "client_config": ClientConfig(
                # Servers of one's own seldom have a host name for each bucket.
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                # Older servers refuse the newer checksums; ours is the SHA-256 of the package.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    }


@contextmanager
def _as_os_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        words = f"S3 answers {answer.get('Code', '?')}: {answer.get('Message', 'no words')}"
        raise OSError(words) from error
    except (BotoCoreError, Boto3Error) as error:
        # Its own words name the address, which is nothing for everybody who uploads.
        raise OSError(f"S3 does not answer ({type(error).__name__})") from error
