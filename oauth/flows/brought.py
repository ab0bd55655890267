"""Sign-ins that were made elsewhere, as text: tokens in JSON, in the shapes in which tools keep them. Pure.

Read are one object or a list of: Codex's auth.json (`tokens` inside), CLIProxyAPI's files, accounts of MultiCodex
(`accounts` outside), and plain objects with tokens in either spelling. What becomes of them is connecting.py's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from proxx.kit import fastjson
from proxx.kit.sealing import Secret

LARGEST = 4 * 1024 * 1024  # characters
MOST = 1000  # accounts
MILLISECONDS_FROM = 100_000_000_000  # later numbers would be years beyond 5000
# fmt: off
FIELDS = {
    "access": ("access_token", "accessToken", "access", "token", "bearer_token"),
    "refresh": ("refresh_token", "refreshToken", "refresh"),
    "id": ("id_token", "idToken"),
    "workspace": ("chatgpt_account_id", "chatgptAccountId", "account_id", "accountId"),
    "email": ("email",),
    "ends": ("expires_at", "expiresAt", "expired", "expires"),
}
# fmt: on


class Unreadable(ValueError):
    """This cannot be taken over; the text is a sentence without any of its content."""


@dataclass(frozen=True, slots=True)
class Brought:
    """One account's tokens; `place` names it for people."""

    place: str
    access: Secret
    refresh: Secret
    id_token: Secret
    workspace: str = ""
    email: str = ""
    expires_at: datetime | None = None


def read(text: str) -> list[Brought]:
    """Return the accounts in a text; raise `Unreadable`."""
    text = text.strip()
    if len(text) > LARGEST:
        raise Unreadable("This is too long.")
    try:
        said = fastjson.loads(text)
    except ValueError:
        raise Unreadable("This is not JSON.") from None
    found = [_one(entry, f"account {number}") for number, entry in enumerate(_entries(said), start=1)]
    if not found:
        raise Unreadable("There is no account in it.")
    if len(found) > MOST:
        raise Unreadable(f"There are more than {MOST} accounts in it.")
    return found


def usable(token: str) -> bool:
    """Tell whether a text can be a token: it has to travel in a header."""
    return token.isascii() and token.isprintable() and " " not in token


def _entries(said: Any) -> Iterator[Any]:
    if isinstance(said, dict) and isinstance(said.get("accounts"), list):
        said = said["accounts"]
    yield from said if isinstance(said, list) else [said]


def _one(entry: Any, place: str) -> Brought:
    if not isinstance(entry, dict):
        raise Unreadable(f"{place}: an object is expected.")
    inner = entry.get("tokens")
    whole = {**entry, **inner} if isinstance(inner, dict) else entry
    found = {name: _text(whole, fields) for name, fields in FIELDS.items() if name != "ends"}
    if not found["access"] and not found["refresh"]:
        raise Unreadable(f"{place}: there is neither an access token nor a refresh token.")
    if not all(usable(found[name]) for name in ("access", "refresh", "id")):
        raise Unreadable(f"{place}: a token holds characters that no token has.")
    return Brought(
        place=_name(found["email"]) or place,
        access=Secret(found["access"]),
        refresh=Secret(found["refresh"]),
        id_token=Secret(found["id"]),
        workspace=_name(found["workspace"])[:200],
        email=_name(found["email"]).lower()[:254],
        expires_at=_moment(next((whole[name] for name in FIELDS["ends"] if whole.get(name)), None), place),
    )


def _text(entry: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = entry.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _name(text: str) -> str:
    """Return a name that a file gives, if it can be shown."""
    return text if text.isprintable() else ""


def _moment(value: Any, place: str) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and not value.strip().replace(".", "", 1).isdigit():
            said = datetime.fromisoformat(value.strip())
            return (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC)
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > MILLISECONDS_FROM else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise Unreadable(f"{place}: the end of its token is no time.") from None
