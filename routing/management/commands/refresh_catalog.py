"""`refresh_catalog [PROVIDER ...]`: ask providers for their models now, instead of waiting for the periodic job."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from routing import seeding
from routing.catalog import refresh


class Command(BaseCommand):
    """Look at the providers' lists and say what was found."""

    help = "Ask the named providers (all with credentials, if none is named) for their models and store the lists."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take provider ids."""
        parser.add_argument("providers", nargs="*", metavar="PROVIDER")

    def handle(self, *args: Any, providers: list[str], **options: Any) -> None:
        """Refresh, print a line per provider, and fail if all of them did."""
        seeding.sync_credentials()
        looks = refresh.refresh(providers or None)
        for look in looks:
            self.stdout.write(f"{look.provider_id}: {look.fault or f'{len(look.models)} models'}")
        if not looks:
            raise CommandError("No provider that can be called lists models.")
        if all(look.fault for look in looks):
            raise CommandError("No provider answered; the lists read before stay in force.")
