"""What comes from outside: environment, inline JSON, keys.json, models.json, a policy file -> rows (F-188..F-197).

Without DATABASE_URL the rows that came from outside follow it: changed when it changes, removed when it is gone. With
DATABASE_URL the database is the truth: from outside come only providers and model names that it does not know yet.
What an operator made in the console is never touched. Rows are saved one by one, so the revision is raised by
signals, and only if something changed.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.fields import reveal
from accounts.models import Credential, account_id_of
from oauth import keeping
from proxx.kit.sealing import SealBroken, Secret
from proxx.upstream import auth
from routing import keys_file, models_file, policy_file, policy_rows, provider_env
from routing.file_text import read_file
from routing.keys_file import Account, FileFault
from routing.models import ModelPreference
from routing.providers import Provider

ENVIRONMENT, INLINE, FILE = Credential.Source.ENVIRONMENT, Credential.Source.INLINE, Credential.Source.FILE
OF_TOKENS = ("kind", "chatgpt_account_id", "plan_type", "expires_at")
WISH_FIELDS = ("rank", "disabled", "alias_of", "declared", "owned_by")

_seen: object = None


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What one synchronisation did; `faults` are sentences without any content of the files."""

    created: int = 0
    updated: int = 0
    removed: int = 0
    faults: tuple[str, ...] = ()

    def __add__(self, other: "SeedReport") -> "SeedReport":
        return SeedReport(
            self.created + other.created,
            self.updated + other.updated,
            self.removed + other.removed,
            self.faults + other.faults,
        )


def sync_if_changed() -> SeedReport | None:
    """Synchronise everything, unless files and environment are those of the last time; then return nothing."""
    global _seen
    now = _signature()
    if now == _seen:
        return None
    report = sync_credentials() + sync_models() + sync_rules()
    _seen = now
    return report


def forget() -> None:
    """Forget what was seen, as after a start."""
    global _seen
    _seen = None


def sync_credentials() -> SeedReport:
    """Bring the credentials that come from outside up to date. Idempotent."""
    wanted, faults = _wanted_accounts()
    try:
        report = _write_accounts(wanted)
    except IntegrityError:
        # Another process did the same in the same moment; what it wrote is what we wanted.
        report = _write_accounts(wanted)
    return report + SeedReport(faults=tuple(faults))


def sync_models() -> SeedReport:
    """Bring the model preferences that come from models.json up to date. Idempotent."""
    try:
        text = read_file(settings.PROXY_MODELS_FILE)
        wishes = models_file.parse(text, name="models.json") if text else []
    except FileFault as fault:
        return SeedReport(faults=(f"{fault} The models read before stay in force.",))
    try:
        return _write_wishes(wishes)
    except IntegrityError:
        return _write_wishes(wishes)


def sync_rules() -> SeedReport:
    """Bring the rules that come from the policy file up to date. Idempotent."""
    path = settings.PROXY_POLICY_CONFIG_FILE
    try:
        text = read_file(path) if path else ""
        rules, notes = policy_file.parse(text, name=Path(path).name) if text else ([], [])
    except FileFault as fault:
        return SeedReport(faults=(f"{fault} The rules read before stay in force.",))
    if path and not text:
        notes = [f"{Path(path).name} is not there, or empty: no rules come from it."]
    return SeedReport(*policy_rows.follow(rules), faults=tuple(notes))


def _wanted_accounts() -> tuple[dict[str, list[Account]], list[str]]:
    """Return the accounts by source, without the sources that could not be read, and a sentence for each of those."""
    providers, _ = provider_env.configured()
    primary = provider_env.canonical(settings.UPSTREAM_PROVIDER_ID, providers)
    faults: list[str] = []

    def parsed(text: str, name: str) -> list[Account]:
        return canonical_accounts(keys_file.parse(text, default_provider=primary, name=name), providers) if text else []

    readers: dict[str, Callable[[], list[Account]]] = {
        str(ENVIRONMENT): lambda: _from_environment(providers, faults),
        str(INLINE): lambda: parsed(settings.PROXY_KEYS_JSON, "PROXY_KEYS_JSON"),
        str(FILE): lambda: parsed(read_file(settings.PROXY_KEYS_FILE), "keys.json"),
    }
    wanted: dict[str, list[Account]] = {}
    for source, read in readers.items():
        try:
            wanted[source] = read()
        except FileFault as fault:
            faults.append(f"{fault} The credentials read before stay in force.")
    return wanted, faults


def _from_environment(providers: Mapping[str, Provider], faults: list[str]) -> list[Account]:
    found = []
    for provider in providers.values():
        name, token = next(((name, token) for name in provider.env_keys if (token := _env_secret(name))), ("", ""))
        if not auth.travels(token):
            faults.append(
                f"{name} holds a control character or one outside ASCII, so it cannot be a key. It is left out."
            )
        elif token:
            found.append(Account(provider_id=provider.id, token=Secret(token), kind="api_key", label=name))
    return found


def _env_secret(name: str) -> str:
    """Return a secret from NAME, or from the file that NAME_FILE points to, as all our secrets may be given."""
    value = settings.ENVIRONMENT.get(name, "").strip()
    path = settings.ENVIRONMENT.get(f"{name}_FILE", "").strip()
    return value or (read_file(path) if path else "")


def canonical_accounts(accounts: list[Account], providers: Mapping[str, Provider]) -> list[Account]:
    """Return the accounts under the ids by which their providers are known here."""
    return [
        replace(account, provider_id=provider_env.canonical(account.provider_id, providers)) for account in accounts
    ]


@transaction.atomic
def _write_accounts(wanted: Mapping[str, list[Account]]) -> SeedReport:
    rows = list(Credential.objects.all())
    pairs = _each_token_once(wanted)
    if settings.DATABASE_URL:
        known = {row.provider_id for row in rows}
        return _add_accounts([pair for pair in pairs if pair[1].provider_id not in known], rows)
    names = {(source, account.provider_id, _account_id(account)) for source, account in pairs}
    gone = [row for row in rows if row.source in wanted and (row.source, row.provider_id, row.account_id) not in names]
    for row in gone:
        row.delete()
    return _add_accounts(pairs, [row for row in rows if row not in gone]) + SeedReport(removed=len(gone))


def _each_token_once(wanted: Mapping[str, list[Account]]) -> list[tuple[str, Account]]:
    """Return (source, account) pairs; a token or a name that an earlier source brought to a provider is dropped."""
    found: dict[tuple[str, str], tuple[str, Account]] = {}
    names: set[tuple[str, str]] = set()
    for source, accounts in wanted.items():
        for account in accounts:
            name = (account.provider_id, _account_id(account))
            token = (account.provider_id, account.token.reveal())
            if token not in found and name not in names:
                found[token] = (source, account)
                names.add(name)
    return list(found.values())


def _add_accounts(pairs: list[tuple[str, Account]], rows: list[Credential]) -> SeedReport:
    by_name = {(row.provider_id, row.account_id): row for row in rows}
    tokens = {(row.provider_id, secret.reveal()) for row in rows if (secret := _secret(row))}
    created = updated = 0
    for source, account in pairs:
        row = by_name.get((account.provider_id, _account_id(account)))
        if row is not None:
            updated += row.source == source and _update(row, account)
        elif (account.provider_id, account.token.reveal()) not in tokens:
            _create(source, account)
            created += 1
    return SeedReport(created=created, updated=updated)


def _create(source: str, account: Account) -> None:
    row = Credential(
        provider_id=account.provider_id,
        account_id=_account_id(account),
        source=source,
        label=account.label,
        secret=account.token.reveal(),
    )
    for field, value in _facts(account).items():
        setattr(row, field, value)
    row.save()
    keeping.take_over(row, account.refresh_token)


def _update(row: Credential, account: Account) -> bool:
    """Write what the source says and the row does not; label, weight and the switch stay the operator's.

    Of an account that renews itself the tokens are younger than the source's, which would bring used ones back.
    """
    renews = keeping.is_known(row, account.refresh_token)
    secret = _secret(row)
    changed = {
        field: value
        for field, value in _facts(account).items()
        if getattr(row, field) != value and not (renews and field in OF_TOKENS)
    }
    if not renews and (secret is None or secret != account.token):
        changed["secret"] = account.token.reveal()
    for field, value in changed.items():
        setattr(row, field, value)
    if changed:
        row.save()
    signs_in = not renews and keeping.take_over(row, account.refresh_token) is not None
    return bool(changed) or signs_in


def _facts(account: Account) -> dict[str, object]:
    facts: dict[str, object] = {
        "kind": account.kind,
        "chatgpt_account_id": account.chatgpt_account_id,
        "plan_type": account.plan_type,
        "expires_at": account.expires_at,
        "base_url": account.base_url,
    }
    return facts if account.priority is None else facts | {"priority": account.priority}


def _account_id(account: Account) -> str:
    return account.account_id or account_id_of(account.provider_id, account.token.reveal())


def _secret(row: Credential) -> Secret | None:
    try:
        return reveal(row)
    except SealBroken:
        return None


@transaction.atomic
def _write_wishes(wishes: list[models_file.Wish]) -> SeedReport:
    rows = {row.name.lower(): row for row in ModelPreference.objects.all()}
    wanted = {wish.name.lower(): wish for wish in wishes}
    created = updated = removed = 0
    for key, wish in wanted.items():
        said = {field: getattr(wish, field) for field in WISH_FIELDS}
        row = rows.get(key)
        if row is None:
            ModelPreference(name=wish.name, source=ModelPreference.Source.FILE, **said).save()
            created += 1
        elif _follows(row) and said != {field: getattr(row, field) for field in WISH_FIELDS}:
            for field, value in said.items():
                setattr(row, field, value)
            row.save()
            updated += 1
    for key, row in rows.items():
        if _follows(row) and key not in wanted:
            row.delete()
            removed += 1
    return SeedReport(created, updated, removed)


def _follows(row: ModelPreference) -> bool:
    return row.source == ModelPreference.Source.FILE and not settings.DATABASE_URL


def _signature() -> object:
    def facts(path: str) -> tuple[int, int, int] | None:
        try:
            found = os.stat(path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    files = (settings.PROXY_KEYS_FILE, settings.PROXY_MODELS_FILE, settings.PROXY_POLICY_CONFIG_FILE)
    return tuple(facts(path) for path in files)
