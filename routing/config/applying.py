"""A configuration file -> the database: what it says is compared with what is there, and what differs is written.

`apply` writes inside the caller's transaction and returns what it changed, so that the difference that is shown is
what would really happen: the command rolls it back after looking. A row of the file is what the file says, fields
that it leaves out included (they fall back to their defaults, secrets excepted); rows that it does not name stay,
unless it is told to prune. What no file can bring (keys, operators, and what hangs on them) is skipped and told.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import Error as DatabaseError
from django.db import models, transaction

from accounts.fields import tail_of
from accounts.models import Credential
from routing.config import secret, values
from routing.config.reading import ConfigFault, ConfigFile, Item
from routing.config.tables import TABLES, Row, Table
from routing.config.values import NotHere
from routing.models import ProviderSetting

ADDED, CHANGED, REMOVED = "+", "~", "-"
LONGEST_SHOWN = 120
EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Change:
    """One row that becomes another: its sign, its name, and what of it changes, in words."""

    sign: str
    what: str
    told: tuple[str, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What applying a file does, and a sentence with its line for each row that it cannot bring."""

    changes: list[Change] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Desk:
    environment: Mapping[str, str]
    changes: list[Change] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def apply(file: ConfigFile, *, environment: Mapping[str, str], prune: bool = False, strict: bool = False) -> Outcome:
    """Write what the file says; raise `ConfigFault` with everything that cannot be. Call it in a transaction.

    With `strict`, a row that a file cannot bring is a fault, too.
    """
    desk = _Desk(environment)
    left: list[tuple[Table, list[Row]]] = []
    for table in TABLES:
        if table.section not in file.items:
            continue
        rows = _by_name(table)
        for item in file.items[table.section]:
            try:
                with transaction.atomic():
                    _take(table, item, rows, desk)
            except ValidationError as fault:
                told = desk.skipped if isinstance(fault, NotHere) and not strict else desk.faults
                told.append(item.fault(f"{_title(table, item)}: {_sentence(fault)}."))
            except DatabaseError:
                desk.faults.append(item.fault(f"{_title(table, item)}: the database does not take this row."))
        left.append((table, [row for found in rows.values() for row in found]))
    if prune and not desk.faults:
        for table, rows_left in reversed(left):
            for row in rows_left:
                _remove(table, row, desk)
    if desk.faults:
        raise ConfigFault(desk.faults)
    return Outcome(desk.changes, desk.skipped)


def name_of(table: Table, row: Row) -> tuple[str, ...]:
    """Return the words that name a row in a file, as they are compared."""
    return tuple(str(values.written(table.fields[name], row) or "").lower() for name in table.key)


def _by_name(table: Table) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in table.model._base_manager.order_by("pk"):
        found[name_of(table, row)].append(row)
    return found


def _take(table: Table, item: Item, rows: dict[tuple[str, ...], list[Row]], desk: _Desk) -> None:
    waiting = rows.get(tuple(str(item.values.get(name) or "").lower() for name in table.key))
    row = waiting.pop(0) if waiting else None
    if row is None and not table.made_here:
        raise NotHere("there is no such key; a file cannot bring one, issue it first")
    added = row is None
    row = table.model() if row is None else row
    told = []
    for name, column in table.fields.items():  # the naming ones first: they say in which unit a limit is
        before = None if added else values.written(column, row)
        _set(table, item, row, name, added=added)
        after = values.written(column, row)
        if after != before and not (added and (after in EMPTY or name in table.key)):
            told.append(_fact(name, before, after))
    if isinstance(row, Credential):
        told += _take_secret(row, item, desk.environment, added=added)
    if added or told:
        _save(table, row)
        desk.changes.append(Change(ADDED if added else CHANGED, _title(table, item), tuple(told)))


def _set(table: Table, item: Item, row: Row, name: str, *, added: bool) -> None:
    """Bring one attribute to what the file says, or to its default."""
    column = table.fields[name]
    if name in item.values:
        try:
            value = values.read(column, item.values[name], row)
        except ValidationError as fault:
            raise type(fault)(f"{name} {_sentence(fault)}") from None
    elif name in table.fixed or name in table.key:
        return
    else:
        value = values.default(column)
    if value == getattr(row, column.attname):
        return
    if name in table.fixed and not added:
        raise ValidationError(f"{name} cannot change")
    setattr(row, column.attname, value)


def _take_secret(row: Credential, item: Item, environment: Mapping[str, str], *, added: bool) -> list[str]:
    if "secret" not in item.values:
        if added and not row.account_id:
            raise ValidationError("needs an account_id or a secret")
        return ["without a secret: enter it in the console"] if added else []
    try:
        plain = secret.opened(item.values["secret"], item.values.get("id"), environment)
    except ValidationError as fault:
        raise ValidationError(f"secret {_sentence(fault)}") from None
    if not added and secret.held(row) == plain:
        return []
    before = row.masked if row.secret else "none"
    row.secret = plain
    return [f"secret {'' if added else f'{before} → '}••••{tail_of(plain)}"]


def _save(table: Table, row: Row) -> None:
    source = getattr(row, "source", "console")
    if source != "console" and "source" not in table.fields:
        row.source = "console"  # or its file would take the change back
    row.clean_fields(exclude=["secret"])
    row.full_clean(exclude=["secret"], validate_unique=False)
    row.save()


def _remove(table: Table, row: Row, desk: _Desk) -> None:
    if not (table.exported(row) and table.prunable(row)):
        return
    what = f"{table.noun} {' · '.join(part for part in name_of(table, row) if part)}"
    try:
        with transaction.atomic():
            _take_away(table, row)
    except models.ProtectedError:
        desk.faults.append(f"{what} is in use and cannot be removed.")
        return
    desk.changes.append(Change(REMOVED, what))


def _take_away(table: Table, row: Row) -> None:
    if not isinstance(row, ProviderSetting) or row.is_private:
        row.delete()
        return
    # A provider that ships with proxx keeps its row, which then says nothing.
    for name, column in table.fields.items():
        if name not in table.key:
            setattr(row, column.attname, values.default(column))
    row.save()


def _title(table: Table, item: Item) -> str:
    return f"{table.noun} {' · '.join(str(item.values[name]) for name in table.key if item.values.get(name))}"


def _fact(name: str, before: Any, after: Any) -> str:
    word = name.replace("_", " ")
    if before in EMPTY:
        return f"{word} {_shown(after)}"
    return f"{word} {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case str():
            text = ", ".join(value.splitlines())
        case list():
            text = ", ".join(str(one) for one in value)
        case dict():
            text = ", ".join(f"{key}={one}" for key, one in value.items())
        case _:
            text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _sentence(fault: ValidationError) -> str:
    if hasattr(fault, "message_dict"):
        said = [(name, " ".join(texts)) for name, texts in fault.message_dict.items()]
        return " ".join(text if name == "__all__" else f"{name}: {text}" for name, text in said).rstrip(".")
    return " ".join(fault.messages).rstrip(".")
