"""`render_docs`: write the pages of the docs that follow from tables."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from routing import pages


class Command(BaseCommand):
    """Write docs/failures.md and docs/providers.md."""

    help = "Write docs/failures.md and docs/providers.md from the tables that decide."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write both pages."""
        docs = settings.BASE_DIR / "docs"
        (docs / "failures.md").write_text(pages.failures_page())
        (docs / "providers.md").write_text(pages.providers_page())
