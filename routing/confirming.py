"""A command's last question before it writes."""

import sys

from django.core.management.base import CommandError


def agreed() -> bool:
    """Ask whoever sits there; raise `CommandError` if nobody does."""
    if not sys.stdin.isatty():
        raise CommandError("Nobody is there to ask, so nothing was written. Add --yes to write, --dry-run to look.")
    return input("\nWrite this? [y/N] ").strip().lower() in {"y", "yes"}
