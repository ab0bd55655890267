"""Typed readers of the environment: text, flag, number, words, secret, and the judge of addresses.

Every reader takes the variable's name and then its aliases; the first one that is set wins. A value that
cannot be read raises `ImproperlyConfigured` with one sentence that names the variable, never the value.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent.parent

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}

# What no wish exceeds, and everything below copes with: about 32 years in seconds, a tebibyte.
LONGEST = 1e9
LARGEST = 2**40

# PROXX_ENV_FILE lets a test or a second instance bring its own file; a missing file is no fault.
environ.Env.read_env(os.environ.get("PROXX_ENV_FILE", str(ROOT / ".env")), overwrite=False)


def everything() -> Mapping[str, str]:
    """Return the whole environment, for names that live in data (a provider's key and base URL)."""
    return dict(os.environ)


def text(name: str, *aliases: str, default: str = "") -> str:
    """Read a text, without surrounding blanks."""
    found = _first(name, aliases)
    return default if found is None else found.strip()


def flag(name: str, *aliases: str, default: bool) -> bool:
    """Read a yes or no: 1, true, yes, on / 0, false, no, off."""
    found = _first(name, aliases)
    if found is None:
        return default
    word = found.strip().lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise ImproperlyConfigured(f"{name} must be one of 1, true, yes, on, 0, false, no, off.")
    return word in TRUE_WORDS


def number(name: str, *aliases: str, default: float, least: float = 0.0, most: float = LONGEST) -> float:
    """Read a number from `least` to `most`."""
    found = _first(name, aliases)
    if found is None or not found.strip():
        return default
    try:
        value = float(found)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number.") from None
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must be a number from {least:.15g} to {most:.15g}.")
    return value


def whole(name: str, *aliases: str, default: int, least: int = 0, most: int = LARGEST) -> int:
    """Read a whole number from `least` to `most`."""
    value = number(name, *aliases, default=default, least=least, most=most)
    if value != int(value):
        raise ImproperlyConfigured(f"{name} must be a whole number.")
    return int(value)


def milliseconds(name: str, *aliases: str, default: float, least: float = 0.0) -> float:
    """Read a duration given in milliseconds and return it in seconds; `default` is in seconds."""
    return number(name, *aliases, default=default * 1000, least=least, most=LONGEST * 1000) / 1000


def address(name: str, value: str, *schemes: str) -> str:
    """Return a URL that begins with one of these schemes, or the empty text; what else a URL may hold is not asked."""
    try:
        parts = urlsplit(value)
        named = bool(parts.hostname) or not parts.scheme.startswith("http")  # Redis without a host is on this machine
        good = parts.scheme in schemes and named and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        good = False
    if value and not good:
        begin = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(f"{name} must be a readable URL that begins with {begin}.")
    return value


def words(name: str, *aliases: str, default: str = "") -> tuple[str, ...]:
    """Read a comma list; blanks and empty entries fall away."""
    return tuple(word.strip() for word in text(name, *aliases, default=default).split(",") if word.strip())


def choice(name: str, *, known: tuple[str, ...], default: str) -> str:
    """Read one of a few words."""
    word = text(name, default=default).strip().lower()
    if word not in known:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(known)}.")
    return word


def pattern(name: str) -> str:
    """Read a regular expression; empty if it is not set."""
    said = text(name)
    try:
        re.compile(said)
    except re.error as fault:
        raise ImproperlyConfigured(f"{name} is no regular expression: {fault}.") from None
    return said


def counts(name: str) -> dict[str, int]:
    """Read a comma list of names with numbers, such as `groq=0,factory=4`."""
    found = {}
    for word in words(name):
        key, _, number = word.partition("=")
        if not key.strip() or not number.strip().isdecimal() or len(number.strip()) > 6:
            raise ImproperlyConfigured(f"{name} must be a list such as groq=0,factory=4.")
        found[key.strip()] = int(number)
    return found


def secret(name: str, *aliases: str) -> str:
    """Read a secret from NAME, or from the file that NAME_FILE points to; empty if neither is set."""
    for candidate in (name, *aliases):
        value = os.environ.get(candidate)
        if value is not None:
            return value.strip()
        path = os.environ.get(f"{candidate}_FILE")
        if path:
            try:
                return Path(path).read_text().strip()
            except OSError:
                raise ImproperlyConfigured(f"{candidate}_FILE points to a file that cannot be read.") from None
    return ""


def _first(name: str, aliases: tuple[str, ...]) -> str | None:
    return next((os.environ[key] for key in (name, *aliases) if key in os.environ), None)
