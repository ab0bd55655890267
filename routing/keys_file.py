"""keys.json in all its forms (F-188..F-193): text -> accounts. Pure; what becomes of them is seeding.py.

A fault names the place by its position, never by what stands there: any text in this file may be a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from proxx.kit import fastjson
from proxx.kit.sealing import Secret
from routing.addresses import base_url_fault

API_KEY_WORDS = {"api_key", "api-key", "apikey"}
OAUTH_WORDS = {"oauth_bearer", "oauth-bearer", "oauth"}
TOKEN_FIELDS = {
    "api_key": ("api_key", "key", "token", "access_token"),
    "oauth_bearer": ("access_token", "token", "bearer_token", "api_key", "key"),
}
ID_FIELDS = ("id", "name", "account_id", "label")
LONGEST_PROVIDER = 64  # characters, as its column holds
# Later numbers are milliseconds: as seconds they would lie beyond the year 5000.
MILLISECONDS_FROM = 100_000_000_000


class FileFault(ValueError):
    """A file that cannot be used; the text is one sentence without any of its content."""


@dataclass(frozen=True, slots=True)
class Account:
    """One credential as a file or the environment words it."""

    provider_id: str
    token: Secret
    kind: str
    account_id: str = ""
    label: str = ""
    chatgpt_account_id: str = ""
    plan_type: str = ""
    expires_at: datetime | None = None
    base_url: str = ""
    priority: int | None = None
    weight: int | None = None
    enabled: bool = True
    refresh_token: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all accounts of one provider share."""

    provider_id: str
    kind: str
    base_url: str
    place: str
    switched_off_too: bool = False


def parse(text: str, *, default_provider: str, name: str) -> list[Account]:
    """Return the accounts in a text that are switched on; raise `FileFault` whose sentence begins with `name`."""
    return _parsed(text, _Frame(default_provider, "api_key", "", name))


def parse_all(text: str, *, default_provider: str, name: str) -> list[Account]:
    """Return the accounts in a text, those that are switched off too; raise `FileFault` as `parse` does."""
    return _parsed(text, _Frame(default_provider, "api_key", "", name, switched_off_too=True))


def without_duplicates(accounts: list[Account]) -> list[Account]:
    """Return the accounts without those whose token an earlier one of the same provider has (F-193)."""
    first: dict[tuple[str, str], Account] = {}
    for account in accounts:
        first.setdefault((account.provider_id, account.token.reveal()), account)
    return list(first.values())


def usable(token: str) -> bool:
    """Tell whether a text can be a key or token: it has to travel in a header."""
    return bool(token) and token.isascii() and not any(character <= " " or character == "\x7f" for character in token)


def moment(value: Any, place: str) -> datetime | None:
    """Return the time that a file words in seconds, milliseconds or letters; raise `FileFault` for anything else."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and not value.strip().replace(".", "", 1).isdigit():
            said = datetime.fromisoformat(value.strip())
            return said if said.tzinfo else said.replace(tzinfo=UTC)
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > MILLISECONDS_FROM else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise FileFault(f"{place}: expires_at must be a time in seconds or milliseconds.") from None


def loaded(text: str, name: str) -> Any:
    """Return what a JSON text says; raise `FileFault` for what is none, or cannot be kept."""
    try:
        data = fastjson.loads(text)
    except ValueError:
        raise FileFault(f"{name} is not valid JSON.") from None
    refuse_nul(data, name)
    return data


def refuse_nul(data: Any, name: str) -> None:
    """Raise `FileFault` if a text in there holds the one character that a database does not keep."""
    left = [data]
    while left:  # no recursion: a file may be nested deeply
        one = left.pop()
        if isinstance(one, str) and "\0" in one:
            raise FileFault(f"{name} holds a NUL character, which no database keeps.")
        if isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            left += one


def _parsed(text: str, frame: _Frame) -> list[Account]:
    name = frame.place
    data = loaded(text, name)
    legacy = data if isinstance(data, list) else data.get("keys", []) if isinstance(data, dict) else None
    providers = data.get("providers", {}) if isinstance(data, dict) else {}
    if not isinstance(legacy, list) or not isinstance(providers, dict):
        raise FileFault(f"{name} must be an object with providers, an object with keys, or a list of keys.")
    accounts = _accounts(legacy, replace(frame, place=f"{name}, keys"))
    for number, (provider_id, entry) in enumerate(providers.items(), start=1):
        one = replace(frame, provider_id=str(provider_id).strip().lower(), place=f"{name}, provider {number}")
        accounts += _of_provider(entry, one)
    return without_duplicates(accounts)


def _of_provider(entry: Any, frame: _Frame) -> list[Account]:
    provider_id, place = frame.provider_id, frame.place
    if not provider_id:
        raise FileFault(f"{place}: the provider has no name.")
    if len(provider_id) > LONGEST_PROVIDER:
        raise FileFault(f"{place}: the provider's name is longer than {LONGEST_PROVIDER} characters.")
    if isinstance(entry, list):
        return _accounts(entry, frame)
    if not isinstance(entry, dict):
        raise FileFault(f"{place}: a list of accounts or an object is expected.")
    accounts = entry.get("accounts", entry.get("keys", []))
    if not isinstance(accounts, list):
        raise FileFault(f"{place}: accounts must be a list.")
    return _accounts(accounts, replace(frame, kind=_kind(entry, "api_key", place), base_url=_base_url(entry, place)))


def _accounts(entries: list[Any], frame: _Frame) -> list[Account]:
    found = (_account(entry, frame, f"{frame.place}, account {index}") for index, entry in enumerate(entries, start=1))
    return [account for account in found if account is not None]


def _account(entry: Any, frame: _Frame, place: str) -> Account | None:
    if isinstance(entry, str):
        entry = {"token": entry}
    if not isinstance(entry, dict):
        raise FileFault(f"{place}: a text or an object is expected.")
    enabled = entry.get("enabled") is not False
    if not enabled and not frame.switched_off_too:
        return None
    kind = _kind(entry, frame.kind, place)
    token = _text(entry, *TOKEN_FIELDS[kind])
    if not usable(token):
        raise FileFault(f"{place}: there is no usable key or token.")
    priority, refresh = entry.get("priority"), _text(entry, "refresh_token", "refreshToken")
    return Account(
        provider_id=frame.provider_id,
        token=Secret(token),
        kind=kind,
        account_id=_text(entry, *ID_FIELDS)[:200],
        label=_text(entry, "label", "name", "id")[:120],
        chatgpt_account_id=_text(entry, "chatgpt_account_id", "chatgptAccountId", "upstream_account_id")[:200],
        plan_type=_text(entry, "plan_type", "planType")[:64],
        expires_at=moment(entry.get("expires_at", entry.get("expiresAt")), place),
        base_url=_base_url(entry, place) or frame.base_url,
        priority=priority if isinstance(priority, int) and not isinstance(priority, bool) else None,
        enabled=enabled,
        refresh_token=Secret(refresh if kind == "oauth_bearer" and usable(refresh) else ""),
    )


def _kind(entry: Mapping[str, Any], default: str, place: str) -> str:
    word = entry.get("auth", default)
    if word in API_KEY_WORDS:
        return "api_key"
    if word in OAUTH_WORDS:
        return "oauth_bearer"
    raise FileFault(f"{place}: auth must be api_key or oauth_bearer.")


def _base_url(entry: Mapping[str, Any], place: str) -> str:
    url = _text(entry, "base_url", "baseUrl")
    if url and (fault := base_url_fault(url)):
        raise FileFault(f"{place}: the base URL {fault}.")
    return url


def _text(entry: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = entry.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""
