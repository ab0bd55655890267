"""`import_model_facts FILE ...`: take over what public lists say of models: limits, abilities, prices."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from proxx.kit import clock, fastjson
from routing import facts_file, facts_sources, revision
from routing.capabilities import PriceList
from routing.facts_file import FILE_LIMIT, FactsFault

SOURCE_LIMIT = 64 * 1024 * 1024
NAMES_SHOWN = 10


class Command(BaseCommand):
    """Read lists, say what would change, and write the compact list that is in force from then on."""

    help = (
        "Read models.dev's api.json or LiteLLM's model_prices_and_context_window.json (or both: the first file counts) "
        "and use them in place of the list that ships with proxx."
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
        entries = facts_sources.joined([_read(Path(name)) for name in files])
        if options["only"]:
            entries = {one: models for one, models in entries.items() if one in options["only"]}
        text = _written(entries, options["origin"] or f"Imported {clock.now():%Y-%m-%d} from {_names(files)}.")
        try:
            new = facts_file.parse(fastjson.loads(text))
        except FactsFault as fault:
            raise CommandError(f"{fault} Nothing was changed; the list that was in force stays.") from None
        for line in differences(facts_file.current(), new):
            self.stdout.write(line)
        if not options["dry_run"]:
            self._write(text, options["output"])

    def _write(self, text: bytes, output: str) -> None:
        path = Path(output) if output else facts_file.imported()
        if len(text) > FILE_LIMIT:
            raise CommandError(f"The list would be larger than {FILE_LIMIT} bytes; keep fewer providers with --only.")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: serving processes read it while it is written.
        draft = path.with_name(path.name + ".new")
        draft.write_bytes(text)
        os.replace(draft, path)
        if not output:
            revision.raise_number()
        self.stdout.write(f"Written: {path} ({len(text):,} bytes).")


def differences(old: PriceList, new: PriceList) -> Iterable[str]:
    """Say in lines what a new list brings, changes and no longer has."""
    for provider_id in sorted({*old.providers, *new.providers}):
        before, after = old.providers.get(provider_id, {}), new.providers.get(provider_id, {})
        repriced = [name for name in before.keys() & after.keys() if before[name].price != after[name].price]
        counts = [
            _count("new", after.keys() - before.keys()),
            _count("gone", before.keys() - after.keys()),
            _count("with another price", repriced),
        ]
        yield f"{provider_id}: {len(after)} models" + "".join(filter(None, counts))


def _count(words: str, names: Iterable[str]) -> str:
    some = sorted(names)
    if not some:
        return ""
    shown = ", ".join(some[:NAMES_SHOWN]) + (", ..." if len(some) > NAMES_SHOWN else "")
    return f"; {len(some)} {words} ({shown})"


def _read(path: Path) -> facts_sources.Entries:
    try:
        if path.exists() and not path.is_file():  # a pipe may never end
            raise CommandError(f"{path} is no regular file.")
        if path.stat().st_size > SOURCE_LIMIT:
            raise CommandError(f"{path} is too large for a list of models.")
        return facts_sources.read(fastjson.loads(path.read_bytes()))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except FactsFault as fault:
        raise CommandError(f"{path}: {fault}") from None
    except ValueError:
        raise CommandError(f"{path} is not valid JSON.") from None


def _names(files: list[str]) -> str:
    return ", ".join(Path(name).name for name in files)


def _written(entries: facts_sources.Entries, origin: str) -> bytes:
    """Return the list as text, one line per model, so that changes of it can be read."""
    makers = [one for one in facts_sources.MAKERS if one in entries]
    blocks = []
    for provider_id, models in sorted(entries.items()):
        lines = [f"   {_json(name)}: {_json(entry)}" for name, entry in sorted(models.items())]
        blocks.append(f"  {_json(provider_id)}: {{\n" + ",\n".join(lines) + "\n  }")
    head = f'{{\n "origin": {_json(origin)},\n "makers": {_json(makers)},\n "providers": {{\n'
    return (head + ",\n".join(blocks) + "\n }\n}\n").encode()


def _json(value: Any) -> str:
    return fastjson.dumps(value).decode()
