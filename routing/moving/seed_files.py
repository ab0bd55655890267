"""keys.json, models.json and policy files, as proxx itself reads them, with a note on all that it does not know."""

from typing import Any

from django.conf import settings

from routing import keys_file, models_file, policy_file, provider_env
from routing.moving.found import Found, shown, unknown
from routing.moving.known import Known
from routing.seeding import canonical_accounts

PROVIDER_FIELDS = ("auth", "accounts", "keys", "base_url", "baseUrl")
ACCOUNT_FIELDS = (
    *("auth", "api_key", "key", "token", "access_token", "bearer_token", "id", "name", "account_id", "label"),
    *("chatgpt_account_id", "chatgptAccountId", "upstream_account_id", "plan_type", "planType", "expires_at"),
    *("expiresAt", "base_url", "baseUrl", "priority", "enabled"),
)
RENEWAL_FIELDS = ("refresh_token", "refreshToken", "refresh_expires_at", "refreshExpiresAt", "id_token")
MODELS_FIELDS = ("preferred", "disabled", "aliases", "models", "data", "object")


def keys(data: Any, text: str, name: str, known: Known) -> Found:
    """Read keys.json (F-188..F-193), the accounts that are switched off too."""
    primary = provider_env.canonical(settings.UPSTREAM_PROVIDER_ID, known.providers)
    accounts = keys_file.parse_all(text, default_provider=primary, name=name)
    return Found(
        "keys.json", accounts=tuple(canonical_accounts(accounts, known.providers)), notes=tuple(_notes(data, name))
    )


def models(data: Any, text: str, name: str, known: Known) -> Found:
    """Read models.json (F-060..F-063)."""
    notes = unknown(data, MODELS_FIELDS, name) if isinstance(data, dict) else []
    return Found("models.json", wishes=tuple(models_file.parse(text, name=name)), notes=tuple(notes))


def policy(data: Any, text: str, name: str, known: Known) -> Found:
    """Read a policy file (F-146), laid over the usual rules."""
    rules, notes = policy_file.parse(text, name=name)
    entries = data.get("modelRouting", {}).get("rules", []) if isinstance(data.get("modelRouting"), dict) else []
    for number, entry in enumerate(entries, start=1):
        for field in ("preferredStrategies", "excludedStrategies"):
            odd = [one for one in entry.get(field, []) if one not in policy_file.PROTOCOLS]
            notes += [f"{name}, rule {number}: {field} {shown(one)} has no counterpart and is ignored." for one in odd]
    return Found("policy file", rules=tuple(rules), notes=tuple(notes))


def _notes(data: Any, name: str) -> list[str]:
    if isinstance(data, list):
        return _of_accounts(data, f"{name}, keys")
    notes = unknown(data, ("providers", "keys"), name) + _of_accounts(data.get("keys", []), f"{name}, keys")
    for number, entry in enumerate(data.get("providers", {}).values(), start=1):
        place = f"{name}, provider {number}"
        if isinstance(entry, dict):
            notes += unknown(entry, PROVIDER_FIELDS, place)
        notes += _of_accounts(entry if isinstance(entry, list) else entry.get("accounts", entry.get("keys", [])), place)
    return notes


def _of_accounts(entries: list[Any], place: str) -> list[str]:
    notes = []
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, dict):
            here = f"{place}, account {number}"
            notes += unknown(entry, (*ACCOUNT_FIELDS, *RENEWAL_FIELDS), here)
            if any(entry.get(field) for field in RENEWAL_FIELDS[:2]):
                notes.append(one_keeper(here))
    return notes


def one_keeper(place: str) -> str:
    """Say that a refresh token has one keeper only."""
    return (
        f"{place}: the refresh token is taken over where proxx knows how to renew it; from then on only proxx may use "
        "it, a second program that does loses the sign-in."
    )
