"""The .env file: made on the first start with fresh secrets, read by the supervisor for its few own settings.

Runs before any package is imported, so the standard library must do. What stands in the file is never changed: a
name that is written there, even empty, is the operator's word; only missing names are added at the end.
"""

import base64
import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
HEADING = (
    "# proxx: made on the first start. Keep it: without PROXY_ENCRYPTION_KEYS stored credentials cannot be opened.\n"
)


def path(environment: Mapping[str, str]) -> Path:
    """Return where the file is: PROXX_ENV_FILE, else .env beside the code."""
    return Path(environment.get("PROXX_ENV_FILE") or ROOT / ".env")


def read(file: Path) -> dict[str, str]:
    """Return the names and values of a file, the first of equal names; nothing if there is no file."""
    values: dict[str, str] = {}
    for line in _text(file).splitlines():
        if found := ASSIGNMENT.match(line):
            values.setdefault(found[1], found[2].strip("'\""))
    return values


def complete(file: Path, environment: Mapping[str, str], more: Sequence[str] = ()) -> list[str]:
    """Add a fresh value for each secret that neither the file nor the environment names; return the names added.

    `more` are further names that shall have a random password, such as that of a database beside us.
    """
    made = fresh(file, environment, more)
    append(file, made)
    return list(made)


def fresh(file: Path, environment: Mapping[str, str], more: Sequence[str] = ()) -> dict[str, str]:
    """Return a fresh value for each secret that neither the file nor the environment names; write nothing."""
    known = {*read(file), *environment}
    makers = {**FRESH, **dict.fromkeys(more, _word)}
    return {name: make() for name, make in makers.items() if not known & {name, f"{name}_FILE", *ALIASES.get(name, ())}}


def shown(file: Path) -> str:
    """Return how a file is named to people: as seen from the code's own folder, if it is inside."""
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)


def append(file: Path, values: Mapping[str, str]) -> None:
    """Write the values at the end of the file, for its owner only; without values nothing is touched."""
    before = _text(file)
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    if lines:
        _append(file, (HEADING if not before else "" if before.endswith("\n") else "\n") + lines)


def main() -> None:
    """Complete the file this environment points to, with the names on the command line too, and say so."""
    file = path(os.environ)
    added = complete(file, os.environ, sys.argv[1:])
    if added:
        print(f"Fresh secrets in {shown(file)}: {', '.join(added)}")  # noqa: T201


def _append(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.fchmod(handle, 0o600)  # also a file that was copied with wider rights: it holds secrets from now on
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def _text(file: Path) -> str:
    return file.read_text() if file.is_file() else ""


def _word() -> str:
    return secrets.token_urlsafe(48)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


ALIASES = {"SECRET_KEY": ("SESSION_SECRET", "SESSION_SECRET_FILE")}
FRESH = {
    "SECRET_KEY": _word,
    "PROXY_TOKEN_PEPPER": _word,
    "PROXY_ENCRYPTION_KEYS": _key,
}

if __name__ == "__main__":
    main()
