"""`render_docs`: write the pages of the docs that follow from tables."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts import role_pages
from routing import loss_pages, pages, protocol_pages


class Command(BaseCommand):
    """Write docs/failures.md, operators.md, providers.md, protocols.md and protocols-losses.md."""

    help = "Write the pages of docs/ that follow from the tables that decide: failures, operators, protocols and more."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the pages."""
        docs = settings.BASE_DIR / "docs"
        (docs / "failures.md").write_text(pages.failures_page())
        (docs / "operators.md").write_text(role_pages.operators_page())
        (docs / "providers.md").write_text(pages.providers_page())
        (docs / "protocols.md").write_text(protocol_pages.protocols_page())
        (docs / "protocols-losses.md").write_text(loss_pages.losses_page())
