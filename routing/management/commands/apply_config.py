"""`apply_config FILE`: make the configuration what a file says. Shows the difference, then asks; all or nothing.
Rows that no file can bring (keys, and what hangs on keys or operators that are not here) are told and skipped.

Exit codes: 0 nothing (more) to do, 1 a fault and nothing written, 2 with --dry-run a difference.
"""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import acting
from routing.config import applying, reading
from routing.config.applying import Outcome
from routing.config.reading import ConfigFault, ConfigFile
from routing.config.tables import SECTIONS
from routing.confirming import agreed

DIFFERENT = 2


class Command(BaseCommand):
    """Read a file, print what it would change, and write it on confirmation."""

    help = "Apply a configuration file (YAML). Prints the difference and asks before it writes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, and how to go about it."""
        parser.add_argument("file", metavar="FILE", help="- for standard input")
        parser.add_argument("--yes", action="store_true", help="write without asking")
        parser.add_argument(
            "--dry-run", action="store_true", help="only print the difference; exit code 2 if there is one"
        )
        parser.add_argument("--prune", action="store_true", help="also remove what the file's sections do not name")
        chosen = parser.add_mutually_exclusive_group()
        for option, what in (("--only", "only this section"), ("--without", "all sections but this one")):
            chosen.add_argument(
                option,
                action="append",
                choices=SECTIONS,
                metavar="SECTION",
                default=[],
                help=f"{what}; may be repeated",
            )
        parser.add_argument("--strict", action="store_true", help="refuse a file with rows that no file can bring")
        parser.add_argument("--reason", default="", help="why; it stands in the audit")

    def handle(self, *args: Any, file: str, reason: str, **options: Any) -> None:
        """Look first: the difference is what writing would do, taken back at once."""
        name = "standard input" if file == "-" else Path(file).name
        try:
            wanted = _chosen(reading.read(_text(file)), options["only"], options["without"])
            with acting.acting_as(acting.current(), reason or f"apply_config {name}"):
                self._go(wanted, options)
        except ConfigFault as fault:
            raise CommandError("\n".join([*fault.faults, "Nothing was written."])) from None

    def _go(self, wanted: ConfigFile, options: dict[str, Any]) -> None:
        how = {"prune": options["prune"], "strict": options["strict"]}
        outcome = _applied(wanted, expected=None, **how)
        changes = outcome.changes
        for sentence in outcome.skipped:
            self.stdout.write(f"skipped: {sentence}")
        for change in changes:
            self.stdout.write(f"{change.sign} {change.what}")
            for told in change.told:
                self.stdout.write(f"    {told}")
        if not changes:
            rest = "all else" if outcome.skipped else "all of it"
            self.stdout.write(f"Nothing to change: {rest} is so already.")
        elif options["dry_run"]:
            self.stdout.write(f"\n{len(changes)} rows differ. Nothing was written (--dry-run).")
            sys.exit(DIFFERENT)
        elif options["yes"] or agreed():
            _applied(wanted, expected=outcome, **how)
            self.stdout.write(f"\nWritten: {len(changes)}. Running servers know it within two seconds.")
        else:
            self.stdout.write("\nNothing was written.")


@transaction.atomic
def _applied(wanted: ConfigFile, *, prune: bool, strict: bool, expected: Outcome | None) -> Outcome:
    """Write what the file says if that is what was expected; else only look, and take it back."""
    outcome = applying.apply(wanted, environment=settings.ENVIRONMENT, prune=prune, strict=strict)
    if expected is None:
        transaction.set_rollback(True)
    elif outcome != expected:
        raise CommandError("Somebody changed the configuration meanwhile. Nothing was written; look again.")
    return outcome


def _chosen(file: ConfigFile, only: list[str], without: list[str]) -> ConfigFile:
    if absent := [section for section in only if section not in file.items]:
        raise CommandError(f"The file has no section {', '.join(absent)}. Nothing was written.")
    return ConfigFile(
        {name: items for name, items in file.items.items() if (not only or name in only) and name not in without}
    )


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise CommandError(f"{file} cannot be read: {type(fault).__name__}. Nothing was written.") from None
