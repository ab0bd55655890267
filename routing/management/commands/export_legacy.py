"""`export_legacy SHAPE`: write accounts or model names as a file that other gateways, and `import_legacy`, read."""

import json
import os
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.fields import reveal
from accounts.models import Credential
from proxx.kit.sealing import SealBroken
from routing.moving import export


class Command(BaseCommand):
    """Write one file; secrets only on request, and then only into a file that nobody else can read."""

    help = "Write keys.json, models.json, accounts.json (MultiCodex) or config.yaml (CLIProxyAPI, Go proxx)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the shape, the file, and whether secrets are written out."""
        parser.add_argument("shape", choices=list(export.SHAPES))
        parser.add_argument("--output", default="", metavar="FILE", help="a new file; without it, standard output")
        parser.add_argument(
            "--secrets", action="store_true", help="write secrets out, not only their last four; needs --output"
        )

    def handle(self, *args: Any, shape: str, output: str, secrets: bool, **options: Any) -> None:
        """Write the file, and say what it has no room for."""
        if secrets and not output:
            raise CommandError("Secrets are written only into a file: add --output FILE.")
        data, notes = export.SHAPES[shape](_opened if secrets else _masked)
        if shape in export.YAML_SHAPES:
            text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
        else:
            text = json.dumps(data, indent=2, ensure_ascii=False)
        if output:
            _write(output, text)
            self.stdout.write(f"Written: {output}" + (", with secrets." if secrets else ", without secrets."))
        else:
            self.stdout.write(text)
        for note in notes:
            self.stderr.write(note)


def _opened(row: Credential) -> str:
    try:
        return reveal(row).reveal()
    except SealBroken:
        raise CommandError(f"The secret of {row} cannot be opened with the keys that are configured.") from None


def _masked(row: Credential) -> str:
    return row.masked


def _write(path: str, text: str) -> None:
    """Make a file that only its owner can read, and never write over another one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"{Path(path).name} is there already; choose another name.") from None
    except OSError:
        raise CommandError(f"{Path(path).name} cannot be written.") from None
    with open(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text.rstrip("\n") + "\n")
