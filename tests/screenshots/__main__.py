"""`make screenshots`: every page of a sample portal, wide and narrow, light and dark.

`ONLY=blade,settings` takes those alone. The pictures and an index.html go to screenshots/.
"""

from __future__ import annotations

import os

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    # It needs the settings.
    from tests.screenshots.taking import take_all

    take_all()


if __name__ == "__main__":
    main()
