"""config.yaml of CLIProxyAPI: keys by kind of upstream, compatible providers, aliases; each field has its answer.

Its sign-ins lie in files of their own (`auth-dir`) and are not read here. What becomes of the fields that have no
place in proxx is told by cli_proxy_answers.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from proxx.kit.sealing import Secret
from routing.keys_file import Account, FileFault, usable
from routing.models_file import NAME_LIMIT, Wish
from routing.moving.cli_proxy_answers import ANSWERS, KEY_ANSWERS, MODEL_ANSWERS
from routing.moving.found import (
    Found,
    Place,
    is_at_home,
    listed,
    merged_wishes,
    shown,
    sound_url,
    text_of,
    unknown,
)
from routing.moving.known import Known


@dataclass(frozen=True, slots=True)
class Kind:
    """One of its lists of keys: whose keys they are, and what speaks at a base URL of one's own."""

    provider_id: str
    words: Mapping[str, Any]
    appended: str = ""


KINDS = {
    "gemini-api-key": Kind("gemini", {"protocols": ["gemini"], "auth": "x-goog-api-key"}, "/v1beta"),
    "codex-api-key": Kind("openai", {"protocols": ["openai_responses"], "paths": {"openai_responses": "/responses"}}),
    "claude-api-key": Kind("anthropic", {"protocols": ["anthropic"]}),
    "xai-api-key": Kind("xai", {"protocols": ["openai_responses"], "paths": {"openai_responses": "/responses"}}),
}
CHANNELS = {"claude": "anthropic", "codex": "openai", "xai": "xai"}  # of sign-ins that proxx asks, too
STRATEGIES = {"round-robin": "round_robin", "weighted-round-robin": "weighted", "fill-first": "priority"}
KEY_FIELDS = ("api-key", "base-url", "models", "excluded-models", "weight")
COMPATIBLE_FIELDS = ("name", "base-url", "api-key-entries", "api-keys", "models", "headers", "disabled")
MODEL_FIELDS = ("name", "alias")


@dataclass(slots=True)
class _Desk:
    """What is gathered while reading."""

    name: str
    known: Known
    places: dict[str, Place]
    accounts: list[Account]
    wishes: list[Wish]
    notes: list[str]
    exclusions: list[tuple[str, str]]


def read(data: Any, text: str, name: str, known: Known) -> Found:
    """Read the file; raise `FileFault` for what cannot be a key or an address."""
    desk = _Desk(name, known, {}, [], [], [], [])
    for field in KINDS:
        for entry, here in _entries(data, field, name):
            _read_key(desk, KINDS[field], entry, here)
    for entry, here in _entries(data, "openai-compatibility", name):
        _read_compatible(desk, entry, here)
    _read_sign_in_aliases(desk, data)
    _read_strategy(desk, data)
    _note_others(desk, data)
    return Found(
        "config.yaml of CLIProxyAPI",
        tuple(desk.places.values()),
        tuple(desk.accounts),
        merged_wishes(desk.wishes),
        tuple(desk.notes),
        tuple(dict.fromkeys(desk.exclusions)),
    )


def _entries(data: Mapping[str, Any], field: str, name: str) -> list[tuple[Mapping[str, Any], str]]:
    found: list[tuple[Mapping[str, Any], str]] = []
    for number, entry in enumerate(listed(data, field, name), start=1):
        if not isinstance(entry, dict):
            raise FileFault(f"{name}, {field} {number}: an object is expected.")
        found.append((entry, f"{name}, {field} {number}"))
    return found


def _read_key(desk: _Desk, kind: Kind, entry: Mapping[str, Any], here: str) -> None:
    base = text_of(entry, "base-url")
    provider_id = kind.provider_id
    if not is_at_home(desk.known.providers.get(provider_id), base):
        place = desk.known.own_place("", sound_url(base, here) + kind.appended, kind.words)
        provider_id = place.provider_id
        desk.places[provider_id] = place
    desk.accounts.append(_account(provider_id, entry, here))
    _note_fields(desk, entry, KEY_FIELDS, here)
    for pattern in listed(entry, "excluded-models", here):
        if isinstance(pattern, str) and 0 < len(pattern.strip()) <= NAME_LIMIT:
            desk.exclusions.append((provider_id, pattern.strip()))
    _read_models(desk, entry, here, provider_id, declare=False)


def _read_compatible(desk: _Desk, entry: Mapping[str, Any], here: str) -> None:
    name, base = text_of(entry, "name"), sound_url(text_of(entry, "base-url"), here)
    provider_id = next((one.id for one in desk.known.providers.values() if one.shipped and one.base_url == base), "")
    if not provider_id or entry.get("disabled") is True:
        words: dict[str, Any] = {"protocols": ["openai_chat"], "label": name[:120]}
        if not base.endswith("/v1"):  # it appends the bare path
            words |= {"paths": {"openai_chat": "/chat/completions"}, "models_paths": ["/models"]}
        if headers := _headers(desk, entry, here):
            words["headers"] = headers
        if entry.get("disabled") is True:
            words["enabled"] = False
        place = Place(provider_id, {"enabled": False}) if provider_id else desk.known.own_place(name, base, words)
        provider_id = place.provider_id
        desk.places[provider_id] = place
    for number, key in enumerate([*listed(entry, "api-key-entries", here), *listed(entry, "api-keys", here)], start=1):
        one = {"api-key": key} if isinstance(key, str) else key
        if not isinstance(one, dict):
            raise FileFault(f"{here}, key {number}: an object is expected.")
        desk.accounts.append(_account(provider_id, one, f"{here}, key {number}"))
        _note_fields(desk, one, KEY_FIELDS, f"{here}, key {number}")
    _note_fields(desk, entry, COMPATIBLE_FIELDS, here)
    _read_models(desk, entry, here, provider_id, declare=True)


def _account(provider_id: str, entry: Mapping[str, Any], here: str) -> Account:
    token, said = text_of(entry, "api-key"), entry.get("weight")
    if not usable(token):
        raise FileFault(f"{here}: there is no usable api-key.")
    weight = said if isinstance(said, int) and not isinstance(said, bool) else None
    return Account(
        provider_id=provider_id,
        token=Secret(token),
        kind="api_key",
        weight=min(weight, 1_000_000) if weight and weight > 0 else None,
        enabled=weight is None or weight > 0,
    )


def _headers(desk: _Desk, entry: Mapping[str, Any], here: str) -> dict[str, str]:
    said = entry.get("headers")
    if not isinstance(said, dict):
        return {}
    copied = [name for name, value in said.items() if str(value).startswith("$")]
    if copied:
        desk.notes.append(f"{here}: headers copied from the client's request are not taken over.")
    return {str(name): str(value) for name, value in said.items() if name not in copied}


def _read_models(desk: _Desk, entry: Mapping[str, Any], here: str, provider_id: str, *, declare: bool) -> None:
    """Read names and aliases; there an alias holds at the entry's own provider alone."""
    for number, model in enumerate(listed(entry, "models", here), start=1):
        place = f"{here}, model {number}"
        name, alias = (text_of(model, "name"), text_of(model, "alias")) if isinstance(model, dict) else ("", "")
        if not 0 < len(name) <= NAME_LIMIT or len(alias) > NAME_LIMIT:
            raise FileFault(f"{place}: a name is expected.")
        desk.notes += unknown(model, (*MODEL_FIELDS, *MODEL_ANSWERS), place)
        _note_fields(desk, model, MODEL_FIELDS, place)
        if declare:
            desk.wishes.append(Wish(name, declared=True))
        _read_alias(desk, name, alias, provider_id)


def _read_alias(desk: _Desk, name: str, alias: str, provider_id: str) -> None:
    if not alias or alias.lower() == name.lower():
        return
    name = desk.known.prefix(provider_id) + name if provider_id else name
    known = [index for index, wish in enumerate(desk.wishes) if wish.alias_of and wish.name.lower() == alias.lower()]
    if not known:
        desk.wishes.append(Wish(alias, alias_of=name))
    elif name not in desk.wishes[known[0]].alias_of.splitlines():  # the same alias again is a pool
        earlier = desk.wishes[known[0]]
        desk.wishes[known[0]] = replace(earlier, alias_of=f"{earlier.alias_of}\n{name}")


def _read_sign_in_aliases(desk: _Desk, data: Mapping[str, Any]) -> None:
    channels = data.get("oauth-model-alias") or {}
    if not isinstance(channels, dict):
        raise FileFault(f"{desk.name}: oauth-model-alias must be an object.")
    for channel, entries in channels.items():
        provider_id = CHANNELS.get(str(channel).lower(), "")
        if not provider_id:
            desk.notes.append(f"{desk.name}, oauth-model-alias {shown(channel)}: its aliases hold at any provider.")
        for entry in entries if isinstance(entries, list) else []:
            name, alias = (text_of(entry, "name"), text_of(entry, "alias")) if isinstance(entry, dict) else ("", "")
            if name and alias:
                _read_alias(desk, name[:NAME_LIMIT], alias[:NAME_LIMIT], provider_id)


def _read_strategy(desk: _Desk, data: Mapping[str, Any]) -> None:
    routing = data.get("routing")
    if not isinstance(routing, dict):
        return
    strategy = (
        "affinity" if routing.get("session-affinity") is True else STRATEGIES.get(text_of(routing, "strategy"), "")
    )
    for provider_id in dict.fromkeys(account.provider_id for account in desk.accounts):
        if strategy:
            place = desk.places.get(provider_id, Place(provider_id, {}))
            desk.places[provider_id] = Place(provider_id, {**place.words, "strategy": strategy})
    desk.notes += unknown(routing, ("strategy", "session-affinity", "session-affinity-ttl"), f"{desk.name}, routing")


def _note_fields(desk: _Desk, entry: Mapping[str, Any], known: tuple[str, ...], here: str) -> None:
    for field in entry:
        if field in known or entry[field] in (None, "", [], {}, False):
            continue
        answer = MODEL_ANSWERS.get(field) if known is MODEL_FIELDS else KEY_ANSWERS.get(field)
        if answer:
            desk.notes.append(f"{here}: {field} is not taken over: {answer}.")
        elif known is not MODEL_FIELDS:
            desk.notes.append(f"{here}: the field {shown(field)} is not known to proxx.")


def _note_others(desk: _Desk, data: Mapping[str, Any]) -> None:
    read_here = {*KINDS, "openai-compatibility", "oauth-model-alias", "routing"}
    for field, value in data.items():
        if field in read_here or value in (None, "", [], {}, False):
            continue
        if field == "api-keys":
            many = len(value) if isinstance(value, list) else 1
            desk.notes.append(
                f"{desk.name}: {many} keys of clients are not taken over: proxx keeps no key that it could show. Issue "
                "new ones (manage.py issue_key, or the console)."
            )
        elif answer := ANSWERS.get(field):
            desk.notes.append(f"{desk.name}: {field} is not taken over: {answer}.")
        else:
            desk.notes.append(f"{desk.name}: the field {shown(field)} is not known to proxx.")
