"""keys.json in all its forms (F-188..F-193): text -> accounts. Pure; what becomes of them is seeding.py.

A fault names the place by its position, never by what stands there: any text in this file may be a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all accounts of one provider share."""

    provider_id: str
    kind: str
    base_url: str
    place: str


def parse(text: str, *, default_provider: str, name: str) -> list[Account]:
    """Return the accounts in a text; raise `FileFault` whose sentence begins with `name`."""
    try:
        data = fastjson.loads(text)
    except ValueError:
        raise FileFault(f"{name} is not valid JSON.") from None
    legacy = data if isinstance(data, list) else data.get("keys", []) if isinstance(data, dict) else None
    providers = data.get("providers", {}) if isinstance(data, dict) else {}
    if not isinstance(legacy, list) or not isinstance(providers, dict):
        raise FileFault(f"{name} must be an object with providers, an object with keys, or a list of keys.")
    accounts = _accounts(legacy, _Frame(default_provider, "api_key", "", f"{name}, keys"))
    for number, (provider_id, entry) in enumerate(providers.items(), start=1):
        accounts += _of_provider(str(provider_id), entry, f"{name}, provider {number}")
    return without_duplicates(accounts)


def without_duplicates(accounts: list[Account]) -> list[Account]:
    """Return the accounts without those whose token an earlier one of the same provider has (F-193)."""
    first: dict[tuple[str, str], Account] = {}
    for account in accounts:
        first.setdefault((account.provider_id, account.token.reveal()), account)
    return list(first.values())


def _of_provider(provider_id: str, entry: Any, place: str) -> list[Account]:
    provider_id = provider_id.strip().lower()
    if not provider_id:
        raise FileFault(f"{place}: the provider has no name.")
    if isinstance(entry, list):
        return _accounts(entry, _Frame(provider_id, "api_key", "", place))
    if not isinstance(entry, dict):
        raise FileFault(f"{place}: a list of accounts or an object is expected.")
    accounts = entry.get("accounts", entry.get("keys", []))
    if not isinstance(accounts, list):
        raise FileFault(f"{place}: accounts must be a list.")
    frame = _Frame(provider_id, _kind(entry, "api_key", place), _base_url(entry, place), place)
    return _accounts(accounts, frame)


def _accounts(entries: list[Any], frame: _Frame) -> list[Account]:
    found = (_account(entry, frame, f"{frame.place}, account {index}") for index, entry in enumerate(entries, start=1))
    return [account for account in found if account is not None]


def _account(entry: Any, frame: _Frame, place: str) -> Account | None:
    if isinstance(entry, str):
        entry = {"token": entry}
    if not isinstance(entry, dict):
        raise FileFault(f"{place}: a text or an object is expected.")
    if entry.get("enabled") is False:
        return None
    kind = _kind(entry, frame.kind, place)
    token = _text(entry, *TOKEN_FIELDS[kind])
    if not token or not token.isascii() or any(character <= " " or character == "\x7f" for character in token):
        raise FileFault(f"{place}: there is no usable key or token.")
    priority = entry.get("priority")
    return Account(
        provider_id=frame.provider_id,
        token=Secret(token),
        kind=kind,
        account_id=_text(entry, *ID_FIELDS)[:200],
        label=_text(entry, "label", "name", "id")[:120],
        chatgpt_account_id=_text(entry, "chatgpt_account_id", "chatgptAccountId", "upstream_account_id")[:200],
        plan_type=_text(entry, "plan_type", "planType")[:64],
        expires_at=_moment(entry.get("expires_at", entry.get("expiresAt")), place),
        base_url=_base_url(entry, place) or frame.base_url,
        priority=priority if isinstance(priority, int) and not isinstance(priority, bool) else None,
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


def _moment(value: Any, place: str) -> datetime | None:
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


def _text(entry: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = entry.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""
