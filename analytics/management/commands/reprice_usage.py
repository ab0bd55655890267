"""`reprice_usage --since 2026-11-01 [--until ...] [--dry-run]`: price recorded calls by the prices that hold now."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics import repricing
from proxx.kit import clock
from routing.pricing import NANO

MODELS_SHOWN = 20


class Command(BaseCommand):
    """Price a period again, and say what changed."""

    help = "Price the calls of a period again, by the prices that hold now. What limits were charged stays as it was."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the period, in UTC."""
        parser.add_argument("--since", required=True, metavar="TIME", help="A date or a moment, UTC: 2026-11-01T12:00.")
        parser.add_argument("--until", metavar="TIME", help="The same; without it, now.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would change, and write nothing.")

    def handle(self, *args: Any, since: str, until: str | None, dry_run: bool, **options: Any) -> None:
        """Reprice and report."""
        start, end = _moment(since), _moment(until) if until else clock.now()
        if start >= end:
            raise CommandError("The period ends before it begins.")
        done = repricing.run(start, end, dry_run=dry_run)
        self.stdout.write(
            f"{done.looked_at:,} calls looked at, {done.changed:,} {'would change' if dry_run else 'changed'}: "
            f"${done.before / NANO:,.6f} before, ${done.after / NANO:,.6f} after."
        )
        ordered = sorted(done.without_price.items(), key=lambda pair: (-pair[1], pair[0]))
        for model, count in ordered[:MODELS_SHOWN]:
            self.stdout.write(f"without a price: {model or 'no model'} ({count:,} calls)")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}” is no date or moment.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
