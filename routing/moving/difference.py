"""What taking over would change: a `Found` held against the database. Reads, and prepares rows; `write` saves them.

Only what a file says is compared: what it is silent about stays as it is. Rows that a file or the console made before
and that are changed here belong to the console from then on, so that no file takes the change back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction

from accounts.fields import reveal, tail_of
from accounts.models import Credential, account_id_of
from oauth import keeping, providers
from proxx.kit import sealing
from proxx.kit.sealing import SealBroken, Secret
from routing import provider_env
from routing.keys_file import Account
from routing.models import ModelExclusion, ModelPreference, PolicyRule, ProviderSetting
from routing.models_file import Wish
from routing.moving.found import Found, Place
from routing.moving.known import Address, Known

RENEWS = "renewed by proxx from now on"
OF_TOKENS = ("kind", "chatgpt_account_id", "plan_type", "expires_at")
ADDED, CHANGED, KEPT = "+", "~", "="
# What a file may say of an account, in the order in which it is told.
FACTS = ("kind", "label", "chatgpt_account_id", "plan_type", "expires_at", "base_url", "priority", "weight", "enabled")


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the difference; `row` is ready to be saved, or nothing if all is as the file says."""

    sign: str
    what: str
    row: models.Model | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """All that taking over would do, and what it would not: `notes` are for people."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    refresh_tokens: Mapping[UUID, Secret]  # by credential

    @property
    def writes(self) -> int:
        """Return how many rows would be written."""
        return sum(change.row is not None for change in self.changes)


def known_now() -> Known:
    """Return the providers of which the files to be read may speak: those of the environment and of the console."""
    own = [row for row in ProviderSetting.objects.all() if row.is_private]
    stored = {
        row.provider_id: Address(row.base_url.rstrip("/"), frozenset(row.protocols or ["openai_chat"])) for row in own
    }
    return Known(provider_env.configured()[0], stored)


def between(files: Iterable[Found]) -> Difference:
    """Return the difference between files and database; later files see what earlier ones would bring."""
    desk = _Desk()
    for found in files:
        desk.notes.extend(found.notes)
        for place in found.places:
            desk.take_place(place)
        for account in found.accounts:
            desk.take_account(account)
        for wish in found.wishes:
            desk.take_wish(wish)
        for rule in found.rules:
            desk.take_rule(rule)
        for provider_id, pattern in found.exclusions:
            desk.take_exclusion(provider_id, pattern)
    return Difference(tuple(desk.changes), tuple(dict.fromkeys(desk.notes)), desk.refresh_tokens)


@transaction.atomic
def write(difference: Difference) -> None:
    """Save every row, or none; their signals raise the revision once it is committed."""
    for change in difference.changes:
        if change.row is not None:
            change.row.save()
        if isinstance(change.row, Credential) and change.row.pk in difference.refresh_tokens:
            keeping.take_over(change.row, difference.refresh_tokens[change.row.pk])


class _Desk:
    """The rows as they would be, and the lines that say how they came to be so."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.notes: list[str] = []
        self.places = {row.provider_id: row for row in ProviderSetting.objects.all()}
        self.wishes = {row.name.lower(): row for row in ModelPreference.objects.all()}
        self.rules = {(row.pattern, row.kind): row for row in PolicyRule.objects.all()}
        self.excluded = {(row.provider_id, row.pattern.lower()) for row in ModelExclusion.objects.all()}
        self.by_name: dict[tuple[str, str], Credential] = {}
        self.by_token: dict[tuple[str, str], Credential] = {}
        self.taken: set[tuple[str, str]] = set()
        self.refresh_tokens: dict[UUID, Secret] = {}
        for row in Credential.objects.all():
            self.know(row, _token(row))

    def know(self, row: Credential, token: str | None) -> None:
        """Remember a credential under its name and its token."""
        self.by_name[row.provider_id, row.account_id] = row
        if token:
            self.by_token.setdefault((row.provider_id, token), row)

    def take_place(self, place: Place) -> None:
        """Note what becomes of a provider's row."""
        row = self.places.get(place.provider_id)
        added = row is None
        row = row or ProviderSetting(provider_id=place.provider_id)
        told = _set(row, place.words, added=added)
        what = f"provider {place.provider_id}"
        try:
            row.clean()
        except ValidationError as fault:
            self.notes.append(f"{what} is not taken over: {' '.join(fault.messages)}")
            return
        self.places[place.provider_id] = row
        self.say(row, what, told, added=added)

    def take_account(self, account: Account) -> None:
        """Note what becomes of a credential's row."""
        token = account.token.reveal()
        name = account.provider_id, account.account_id or account_id_of(account.provider_id, token)
        if name in self.taken:
            self.notes.append(f"A second account {account.label or name[1]} of {name[0]} is left out.")
            return
        self.taken.add(name)
        row = self.by_name.get(name) or self.by_token.get((name[0], token))
        if row is None:
            row = Credential(provider_id=name[0], account_id=name[1], secret=token)
            self.know(row, token)
            _set(row, _said(account), added=True)
            facts = _first_facts(account)
            if account.refresh_token and providers.of_provider(row.provider_id) is not None:
                facts.append(RENEWS)
                self.refresh_tokens[row.pk] = account.refresh_token
            self.say(row, _title(row, token), facts, added=True)
            return
        said, old = _said(account), _token(row)
        if renews := keeping.is_known(row, account.refresh_token):
            said = {field: value for field, value in said.items() if field not in OF_TOKENS}
        place = self.places.get(row.provider_id)
        if place is not None and place.base_url == account.base_url:
            said.pop("base_url", None)  # the provider's own address needs no second place
        if account.expires_at and row.expires_at and row.expires_at > account.expires_at:
            said.pop("expires_at")  # its token was renewed since the file was written
            token = old or token
        title = _title(row, old or "")
        told = _set(row, said, added=False)
        if old != token and not renews:
            told.append(f"token {_dots(old or '')} → {_dots(token)}")
            row.secret = token
        if account.refresh_token and not renews and providers.of_provider(row.provider_id) is not None:
            told.append(RENEWS)
            self.refresh_tokens[row.pk] = account.refresh_token
        self.say(row, title, told, added=False)

    def take_wish(self, wish: Wish) -> None:
        """Note what becomes of a model's row."""
        row = self.wishes.get(wish.name.lower())
        added = row is None
        row = row or ModelPreference(name=wish.name)
        said: dict[str, Any] = {"alias_of": wish.alias_of, "owned_by": wish.owned_by}
        said |= {"disabled": wish.disabled, "declared": wish.declared, "notes": wish.notes}
        said = {field: value for field, value in said.items() if value}
        said |= {"rank": wish.rank} if wish.rank is not None else {}
        told = _set(row, said | ({"alias_enabled": False} if wish.alias_is_off else {}), added=added)
        try:
            row.clean()
        except ValidationError as fault:
            self.notes.append(f"model {wish.name} is not taken over: {' '.join(fault.messages)}")
            return
        self.wishes[wish.name.lower()] = row
        self.say(row, f"model {wish.name}", told, added=added)

    def take_rule(self, fields: Mapping[str, Any]) -> None:
        """Note what becomes of a rule by model; rules are known by their pattern."""
        key = fields["pattern"].strip(), fields["kind"]
        row = self.rules.get(key)
        added = row is None
        row = row or PolicyRule()
        names = {field: value for field, value in fields.items() if field not in ("pattern", "kind", "name")}
        told = _set(row, names | ({} if added else {"name": fields["name"]}), added=added)
        row.pattern, row.kind, row.name = *key, fields["name"]
        try:
            row.clean()
        except ValidationError as fault:
            self.notes.append(f"rule {row} is not taken over: {' '.join(fault.messages)}")
            return
        self.rules[key] = row
        self.say(row, f"rule {row} ({row.pattern})", told, added=added)

    def take_exclusion(self, provider_id: str, pattern: str) -> None:
        """Note that models are not to be had from a provider."""
        row = ModelExclusion(provider_id=provider_id, pattern=pattern)
        if (provider_id, pattern.lower()) in self.excluded:
            self.changes.append(Change(KEPT, f"exclusion of {row}"))
        else:
            self.excluded.add((provider_id, pattern.lower()))
            self.changes.append(Change(ADDED, f"exclusion of {row}", row))

    def say(
        self,
        row: ProviderSetting | Credential | ModelPreference | PolicyRule,
        what: str,
        told: list[str],
        *,
        added: bool,
    ) -> None:
        """Add a line; a changed row of a file becomes the console's."""
        if not told and not added:
            self.changes.append(Change(KEPT, what))
            return
        if not isinstance(row, ProviderSetting):
            row.source = "console"
        self.changes.append(Change(ADDED if added else CHANGED, f"{what}: {', '.join(told)}" if told else what, row))


def _said(account: Account) -> dict[str, Any]:
    """Return what a file says of an account; that it is on counts as silence."""
    found = {field: getattr(account, field) for field in FACTS if field != "enabled"}
    said = {field: value for field, value in found.items() if value not in (None, "")}
    return said if account.enabled else said | {"enabled": False}


def _first_facts(account: Account) -> list[str]:
    left_out = ("label", "kind", "chatgpt_account_id")
    return [_fact(field, value) for field, value in _said(account).items() if field not in left_out]


def _set(row: models.Model, said: Mapping[str, Any], *, added: bool) -> list[str]:
    """Write what differs into the row, and tell each of it."""
    told = []
    for field, value in said.items():
        old = getattr(row, field)
        if old != value:
            setattr(row, field, value)
            is_first = added or isinstance(value, bool) or old in (None, "", [], {})
            told.append(_fact(field, value) if is_first else f"{_word(field)} {_value(old)} → {_value(value)}")
    return told


def _fact(field: str, value: Any) -> str:
    if isinstance(value, bool):
        return _word(field) if value else "alias switched off" if field == "alias_enabled" else "switched off"
    return f"{_word(field)} {_value(value)}"


def _word(field: str) -> str:
    return field.replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes").replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return " ".join(str(one) for one in value) or "none"
    if isinstance(value, dict):
        return " ".join(f"{key}={one}" for key, one in value.items()) or "none"
    return ", then ".join(str(value).splitlines()) or "none"


def _title(row: Credential, token: str) -> str:
    secret = f"{Credential.Kind(row.kind).label} {_dots(token)}"
    return f"credential {row.provider_id} · " + (f"{row.label} ({secret})" if row.label else secret)


def _dots(token: str) -> str:
    return f"••••{tail_of(token)}"


def _token(row: Credential) -> str | None:
    """Return the secret that a row holds, nothing if no key opens it."""
    if not sealing.is_sealed(row.secret):  # not saved yet
        return row.secret or None
    try:
        return reveal(row).reveal() or None
    except SealBroken:
        return None
