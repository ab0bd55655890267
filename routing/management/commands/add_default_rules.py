"""`add_default_rules`: the rules by model family that proxx offers, behind those that are there."""

from typing import Any

from django.core.management.base import BaseCommand

from routing import policy_rows


class Command(BaseCommand):
    """Add what is missing; nothing that is there is changed."""

    help = "Add the default rules by model family (docs/policies.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Add them and say how many."""
        added = policy_rows.add_defaults()
        self.stdout.write(f"{added} rules added." if added else "All default rules are there already.")
