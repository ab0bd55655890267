"""`import_model_facts FILE ...`: take over what public lists say of models: limits, abilities, prices."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from proxx.kit import fastjson
from routing import facts_file, facts_import, facts_sources, revision
from routing.facts_file import FactsFault


class Command(BaseCommand):
    """Read lists, say what would change, and write the compact list that is in force from then on."""

    help = (
        "Read models.dev's api.json, LiteLLM's model_prices_and_context_window.json or Helicone's llm-costs (the first "
        "counts), from files or https addresses, and use them in place of the list that ships with proxx."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take files, where to write, and which providers."""
        parser.add_argument("files", nargs="*", metavar="FILE")
        parser.add_argument("--output", default="", help="Write there instead of the data directory; nothing is used.")
        parser.add_argument("--origin", default="", help="A sentence on where the facts come from.")
        parser.add_argument("--only", nargs="*", default=[], metavar="PROVIDER", help="Keep these providers only.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would change, and write nothing.")
        parser.add_argument("--forget", action="store_true", help="Go back to the list that ships with proxx.")

    def handle(self, *args: Any, files: list[str], **options: Any) -> None:
        """Import, or forget."""
        if options["forget"]:
            facts_file.imported().unlink(missing_ok=True)
            revision.raise_number()
            self.stdout.write("The list that ships with proxx is in force again.")
            return
        if not files:
            raise CommandError("Name at least one file.")
        names = [name if _is_address(name) else Path(name).name for name in files]
        lists = [_read(name) for name in files]
        try:
            text = facts_import.written(lists, names, only=options["only"], origin=options["origin"])
            new = facts_import.checked(text)
        except FactsFault as fault:
            raise CommandError(f"{fault} Nothing was changed; the list that was in force stays.") from None
        for line in facts_import.differences(facts_file.current(), new):
            self.stdout.write(line)
        if not options["dry_run"]:
            self._write(text, options["output"])

    def _write(self, text: bytes, output: str) -> None:
        path = Path(output) if output else facts_file.imported()
        facts_import.put(text, path)
        if not output:
            revision.raise_number()
        self.stdout.write(f"Written: {path} ({len(text):,} bytes).")


def _is_address(name: str) -> bool:
    return name.startswith(("https://", "http://"))


def _read(name: str) -> facts_sources.Entries:
    path = Path(name)
    try:
        if _is_address(name):
            return facts_import.fetched(name)
        if path.exists() and not path.is_file():  # a pipe may never end
            raise CommandError(f"{path} is no regular file.")
        if path.stat().st_size > facts_import.SOURCE_LIMIT:
            raise CommandError(f"{path} is too large for a list of models.")
        return facts_sources.read(fastjson.loads(path.read_bytes()))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except FactsFault as fault:
        raise CommandError(str(fault) if _is_address(name) else f"{path}: {fault}") from None
    except ValueError:
        raise CommandError(f"{path} is not valid JSON.") from None
