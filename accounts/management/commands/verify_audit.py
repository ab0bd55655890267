"""`verify_audit`: is the audit what it was? Says so, or which entry is the first that is not; exit code 1 then."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit_chain, audit_export


class Command(BaseCommand):
    """Work out every entry's hash again, in the database or in an exported file."""

    help = (
        "Check the audit's chain of hashes: edits, deletions and swaps are found and named. Prints an anchor; keep it "
        "elsewhere and give it back with --anchor, and nothing can be missing at the end either."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take anchors, and a file in place of the database."""
        parser.add_argument("--anchor", action="append", default=[], metavar="NUMBER:HASH", help="what was there once")
        parser.add_argument("--file", metavar="FILE", help="an export (JSONL) that begins with entry 1")

    def handle(self, *args: Any, anchor: list[str], file: str | None, **options: Any) -> None:
        """Judge, and end with 1 unless all is well."""
        try:
            anchors = dict(audit_chain.anchor_of(text) for text in anchor)
        except ValueError as fault:
            raise CommandError(str(fault)) from None
        verdict = audit_chain.verify(anchors) if file is None else _of_file(Path(file), anchors)
        if verdict.fault:
            raise CommandError(f"{verdict.fault} Good so far: {verdict.anchor}")
        self.stdout.write(f"All {verdict.checked} entries are as they were written. Anchor: {verdict.anchor}")


def _of_file(path: Path, anchors: dict[int, str]) -> audit_chain.Verdict:
    try:
        with path.open(encoding="utf-8") as lines:
            return audit_chain.judged(audit_export.read(lines), anchors.items())
    except (OSError, ValueError) as fault:
        raise CommandError(f"{path.name} cannot be read as an export of the audit: {type(fault).__name__}.") from None
