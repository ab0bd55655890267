"""`refresh_sign_ins`: renew the tokens of signed-in accounts now, whenever they end."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Credential
from oauth import scan


class Command(BaseCommand):
    """Renew tokens."""

    help = "Renew the tokens of all signed-in accounts, or of those that are named; former failures are forgotten."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take names of accounts."""
        parser.add_argument("accounts", nargs="*", help="labels or account names; none: all")

    def handle(self, *args: Any, **options: Any) -> None:
        """Renew, and say how many were."""
        wanted = None
        if names := options["accounts"]:
            rows = Credential.objects.filter(sign_in__isnull=False)
            wanted = {row.pk: row for row in rows if {row.label, row.account_id} & set(names)}
            known = {name for row in wanted.values() for name in (row.label, row.account_id)}
            if missing := [name for name in names if name not in known]:
                raise CommandError(f"There is no signed-in account {missing[0]}.")
        done = scan.renew_now(wanted)
        self.stdout.write(f"{done.renewed} of {done.total} renewed, {done.failed} not.")
