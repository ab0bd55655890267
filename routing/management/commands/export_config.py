"""`export_config`: print the configuration as YAML, which `apply_config` takes back."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit
from routing.config import exporting


class Command(BaseCommand):
    """Print tenants, limits, providers, credentials without their secrets, names, rules, prices and members."""

    help = "Print the configuration as YAML. Secrets are left out, unless --sealed brings them as they are stored."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where it goes, and whether with secrets."""
        parser.add_argument("--output", metavar="FILE", help="a new file that only its owner can read")
        parser.add_argument("--sealed", action="store_true", help="secrets too, sealed; the same keys open them")

    def handle(self, *args: Any, output: str | None, sealed: bool, **options: Any) -> None:
        """Write it; that sealed secrets left is told in the audit."""
        text = exporting.export(sealed=sealed)
        if sealed:
            audit.note("exported", "the configuration with sealed secrets")
        if output is None:
            self.stdout.write(text, ending="")
            return
        try:
            with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as fault:
            raise CommandError(f"{output} cannot be written: {fault.strerror}. It must be a new file.") from None
