"""`rotate_secrets`: seal every stored secret under the first of PROXY_ENCRYPTION_KEYS, while proxx serves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import resealing


class Command(BaseCommand):
    """Seal anew what is stored under retired keys; stopped half-way, the next run goes on."""

    help = (
        "Seal every stored secret under the first of PROXY_ENCRYPTION_KEYS. Put a new key in front, restart, run this, "
        "then take the old key away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many rows to read at a time, and whether only to look."""
        parser.add_argument("--batch", type=int, default=resealing.BATCH, help="rows read at a time")
        parser.add_argument("--dry-run", action="store_true", help="only say how many values are left")

    def handle(self, *args: Any, batch: int, dry_run: bool, **options: Any) -> None:
        """Seal, and say what may be done next; values that no key opens end it with 1."""
        left = resealing.retired()
        if dry_run:
            self.stdout.write(f"{left} values are stored under retired keys.")
            return
        done = resealing.reseal(batch=max(1, batch), told=lambda so_far: self.stdout.write(f"{so_far.done} of {left}"))
        if done.broken:
            raise CommandError(
                f"{done.broken} values cannot be opened: their key is not among PROXY_ENCRYPTION_KEYS, or they were "
                f"moved from another row. {done.done} others were sealed anew. Enter these secrets again."
            )
        still = resealing.retired()
        if still:
            raise CommandError(f"{still} values are still under retired keys: a server that was not restarted writes.")
        self.stdout.write(f"{done.done} values sealed anew. Every stored secret is under the first key now.")
