"""`export_audit`: print the whole audit, for keeping elsewhere. That it was done is in the audit, too."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import audit, audit_export
from accounts.audit_entry import AuditEntry


class Command(BaseCommand):
    """Print every entry, oldest first."""

    help = "Print the audit as JSON lines, which `verify_audit --file` checks, or as a table (--csv)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the form."""
        parser.add_argument("--csv", action="store_true", help="a table: one line for each changed field")

    def handle(self, *args: Any, csv: bool, **options: Any) -> None:
        """Print them one by one: there may be many."""
        audit.note("exported", "the audit", {"form": "csv" if csv else "jsonl"})
        write = audit_export.as_csv if csv else audit_export.jsonl
        for line in write(AuditEntry.objects.order_by("sequence").iterator(chunk_size=500)):
            self.stdout.write(line, ending="")
