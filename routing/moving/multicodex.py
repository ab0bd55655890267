"""accounts.json of MultiCodex (F-198): accounts with their tokens, model aliases, settings."""

from collections.abc import Mapping
from typing import Any

from proxx.kit.sealing import Secret
from routing.keys_file import Account, FileFault, moment, usable
from routing.models_file import NAME_LIMIT, Wish
from routing.moving.found import (
    Found,
    Place,
    is_at_home,
    listed,
    merged_wishes,
    sound_url,
    text_of,
    unknown,
)
from routing.moving.known import Known
from routing.moving.seed_files import one_keeper

ACCOUNT_FIELDS = (
    *("id", "provider", "upstreamMode", "compatibilityMode", "email", "accessToken", "refreshToken", "expiresAt"),
    *("chatgptAccountId", "baseUrl", "enabled", "priority"),
)
# What it noted while it ran: proxx asks for it or finds out by itself.
RUN_TIME_FIELDS = ("usage", "state")
PROVIDERS = {"openai": "openai", "mistral": "mistral", "zai": "zai", "openai-compatible": ""}
SETTINGS = {
    "defaultPassthroughAccountId": "calls of unknown paths are not passed on to one account in proxx",
    "imageRequestModelOverride": "set PROXY_IMAGE_REQUEST_MODEL, or choose it for a tenant",
}


def read(data: Any, text: str, name: str, known: Known) -> Found:
    """Read the file; raise `FileFault` for what cannot be an account."""
    notes = unknown(data, ("accounts", "modelAliases", "settings"), name)
    accounts: list[Account] = []
    places: dict[str, Place] = {}
    for number, entry in enumerate(listed(data, "accounts", name), start=1):
        here = f"{name}, account {number}"
        if not isinstance(entry, dict):
            raise FileFault(f"{here}: an object is expected.")
        notes += unknown(entry, (*ACCOUNT_FIELDS, *RUN_TIME_FIELDS), here)
        place = _place(entry, here, known)
        if place is not None:
            places[place.provider_id] = place
        accounts.append(_account(entry, here, place, known))
        if entry.get("refreshToken"):
            notes.append(one_keeper(here))
    if any(
        isinstance(entry, dict) and any(entry.get(field) for field in RUN_TIME_FIELDS) for entry in data["accounts"]
    ):
        notes.append(f"{name}: what accounts had used and which models were blocked is not taken over.")
    wishes, said = _aliases(data, name)
    return Found(
        "accounts.json of MultiCodex",
        places=tuple(places.values()),
        accounts=tuple(accounts),
        wishes=wishes,
        notes=(*notes, *said, *_settings(data, name)),
    )


def _place(entry: Mapping[str, Any], here: str, known: Known) -> Place | None:
    """Return the provider that an account needs and proxx does not ship."""
    provider, base = text_of(entry, "provider") or "openai", text_of(entry, "baseUrl")
    if provider not in PROVIDERS:
        raise FileFault(f"{here}: the provider is none that MultiCodex has.")
    if PROVIDERS[provider]:
        return None
    if not base:
        raise FileFault(f"{here}: an openai-compatible account needs a baseUrl.")
    responses = "responses" in (text_of(entry, "upstreamMode"), text_of(entry, "compatibilityMode"))
    protocols = ["openai_responses", "openai_chat"] if responses else ["openai_chat"]
    return known.own_place("", sound_url(base, here), {"protocols": protocols})


def _account(entry: Mapping[str, Any], here: str, place: Place | None, known: Known) -> Account:
    provider, token = text_of(entry, "provider") or "openai", text_of(entry, "accessToken")
    if not usable(token):
        raise FileFault(f"{here}: there is no usable accessToken.")
    base, priority, refresh = text_of(entry, "baseUrl"), entry.get("priority"), text_of(entry, "refreshToken")
    return Account(
        provider_id=place.provider_id if place else PROVIDERS[provider],
        token=Secret(token),
        # Its OpenAI accounts are ChatGPT accounts; all others bring keys.
        kind="oauth_bearer" if provider == "openai" else "api_key",
        account_id=text_of(entry, "id")[:200],
        label=text_of(entry, "email", "id")[:120],
        chatgpt_account_id=text_of(entry, "chatgptAccountId")[:200],
        expires_at=moment(entry.get("expiresAt"), here),
        base_url="" if place or is_at_home(known.providers.get(PROVIDERS[provider]), base) else sound_url(base, here),
        priority=priority if isinstance(priority, int) and not isinstance(priority, bool) else None,
        enabled=entry.get("enabled") is not False,
        refresh_token=Secret(refresh if provider == "openai" and usable(refresh) else ""),
    )


def _aliases(data: Mapping[str, Any], name: str) -> tuple[tuple[Wish, ...], list[str]]:
    """Return a wish for each alias, its targets one a line, as they are written there."""
    wishes, notes = [], []
    for number, entry in enumerate(listed(data, "modelAliases", name), start=1):
        here = f"{name}, alias {number}"
        if not isinstance(entry, dict) or not 0 < len(text_of(entry, "id")) <= NAME_LIMIT:
            raise FileFault(f"{here}: an object with an id is expected.")
        notes += unknown(entry, ("id", "targets", "enabled", "description"), here)
        targets = [target.strip() for target in listed(entry, "targets", here) if isinstance(target, str)]
        told = text_of(entry, "description")
        off = entry.get("enabled") is False
        wishes.append(
            Wish(text_of(entry, "id"), alias_of="\n".join(filter(None, targets)), alias_is_off=off, notes=told)
        )
    return merged_wishes(wishes), notes


def _settings(data: Mapping[str, Any], name: str) -> list[str]:
    said = data.get("settings") or {}
    if not isinstance(said, dict):
        raise FileFault(f"{name}: settings must be an object.")
    notes = unknown(said, SETTINGS, f"{name}, settings")
    return notes + [
        f"{name}, settings: {field} is not taken over: {why}." for field, why in SETTINGS.items() if said.get(field)
    ]
