"""`import_legacy FILE...`: take over the configuration of another gateway. Shows the difference, then asks."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DataError

from routing.confirming import agreed
from routing.file_text import read_file
from routing.keys_file import FileFault
from routing.moving import difference, recognise
from routing.moving.difference import ADDED, CHANGED, KEPT, Difference

HEADS = ((ADDED, "To add"), (CHANGED, "To change"), (KEPT, "Already there"))


class Command(BaseCommand):
    """Read files, print what they would change, and write it on confirmation."""

    help = (
        "Take over accounts, providers and model names from keys.json, models.json, accounts.json (MultiCodex) and "
        "config.yaml (Go proxx, CLIProxyAPI). Prints the difference and asks before it writes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the files, and whether to ask."""
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--yes", action="store_true", help="write without asking")
        parser.add_argument("--dry-run", action="store_true", help="only print the difference")

    def handle(self, *args: Any, files: list[str], yes: bool, dry_run: bool, **options: Any) -> None:
        """Read all files first: one that cannot be read takes nothing over from the others either."""
        known = difference.known_now()
        try:
            found = [recognise.read(_text(path), Path(path).name, known) for path in files]
        except FileFault as fault:
            raise CommandError(f"{fault} Nothing was written.") from None
        for path, one in zip(files, found, strict=True):
            self.stdout.write(f"{Path(path).name}: {one.kind}")
        wanted = difference.between(found)
        self._print(wanted)
        if not wanted.writes:
            self.stdout.write("\nNothing to write: all of it is there already.")
        elif dry_run:
            self.stdout.write("\nNothing was written (--dry-run).")
        elif yes or agreed():
            _write(wanted)
            self.stdout.write(f"\nWritten: {wanted.writes}. Running servers know it within two seconds.")
        else:
            self.stdout.write("\nNothing was written.")

    def _print(self, wanted: Difference) -> None:
        for sign, head in HEADS:
            lines = [change.what for change in wanted.changes if change.sign == sign]
            if lines:
                self.stdout.write(f"\n{head} ({len(lines)}):")
            for line in lines:
                self.stdout.write(f"  {sign} {line}")
        if wanted.notes:
            self.stdout.write(f"\nNot taken over, or to do by hand ({len(wanted.notes)}):")
        for note in wanted.notes:
            self.stdout.write(f"  ! {note}")


def _write(wanted: Difference) -> None:
    try:
        difference.write(wanted)
    except DataError:
        raise CommandError(
            "The database does not take one of these values, perhaps because it is too long. Nothing was written."
        ) from None


def _text(path: str) -> str:
    text = read_file(path)
    if not text:
        raise FileFault(f"{Path(path).name} is empty or not there.")
    return text
