"""The audit in files: JSONL, which can be read back and verified, and CSV for people with spreadsheets."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.audit_entry import AuditEntry
from proxx.kit import sheets

COLUMNS = (
    "number",
    "time",
    "who",
    "kind of actor",
    "from",
    "action",
    "what",
    "id",
    "name",
    "tenant",
    "field",
    "before",
)
HEAD = (*COLUMNS, "after", "reason")


def jsonl(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Yield a line for each entry: everything that is hashed, and the hash."""
    for entry in entries:
        yield json.dumps({**entry.facts(), "hash": entry.hash}, ensure_ascii=True) + "\n"


def read(lines: Iterable[str]) -> Iterator[AuditEntry]:
    """Yield the entries of a JSONL export; raise `ValueError` for a line that is none."""
    for line in lines:
        if line.strip():
            yield _entry(json.loads(line))


def as_csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Yield a line for each changed field; no cell can be taken for a formula (security G4)."""
    yield sheets.line(HEAD)
    for entry in entries:
        who = (entry.actor_name, entry.actor_kind, entry.address)
        what = (entry.action, entry.kind, entry.object_id, entry.object_name, entry.tenant_id or "")
        fixed = (entry.sequence, entry.at.isoformat(timespec="seconds"), *who, *what)
        for field, before, after in list(entry.differences()) or [("", None, None)]:
            yield sheets.line((*fixed, field, _cell(before), _cell(after), entry.reason))


def _entry(facts: Any) -> AuditEntry:
    try:
        kind, identifier, name, address = facts["actor"]
        what, object_id, object_name = facts["object"]
        return AuditEntry(
            sequence=int(facts["sequence"]),
            at=datetime.fromisoformat(facts["at"]),
            actor_kind=kind,
            actor_id=identifier,
            actor_name=name,
            address=address,
            action=facts["action"],
            kind=what,
            object_id=object_id,
            object_name=object_name,
            tenant_id=UUID(facts["tenant"]) if facts["tenant"] else None,
            changes=facts["changes"],
            reason=facts["reason"],
            previous=facts["previous"],
            hash=facts["hash"],
        )
    except (KeyError, TypeError) as fault:
        raise ValueError("This line is no entry.") from fault


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
