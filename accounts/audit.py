"""Write down who did what: a change of a row by itself (audited.py), an event by `note`.

An entry is part of the transaction of what it tells. All writers queue at one row, the chain's head; whoever changes
an audited row takes it before any other lock, so that two of them cannot wait for each other.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from accounts import acting
from accounts.audit_entry import NO_HASH, AuditEntry, AuditHead
from accounts.fields import SealedTextField
from proxx.kit import clock, logs

log = logging.getLogger(__name__)

SECRET = "••••••••"  # noqa: S105 - what stands in a secret's place
NEVER_SHOWN = ("password", "digest", "secret", "token")  # in the name of a field
LONGEST_VALUE = 4000  # characters

Changes = Mapping[str, tuple[Any, Any]]


def note(
    action: str,
    subject: models.Model | str = "",
    detail: Mapping[str, Any] | None = None,
    *,
    tenant_id: UUID | None = None,
) -> AuditEntry:
    """Write down an event that is no change of a row, such as a sign-in or an export (blocking).

    `subject` is the row it is about, or a few words; `detail` are facts, from which secrets are taken out.
    """
    changes = {name: (None, value) for name, value in (detail or {}).items()}
    if isinstance(subject, models.Model):
        return write(action, subject, changes, tenant_id=tenant_id)
    with transaction.atomic():
        return _add(AuditEntry(action=action, object_name=_text(subject)[:200], tenant_id=tenant_id), changes)


def write(action: str, row: models.Model, changes: Changes, *, tenant_id: UUID | None = None) -> AuditEntry:
    """Write down what becomes of a row: (before, after) by field; secrets must be out of it already."""
    name = getattr(row, "audit_name", None)
    owner = getattr(row, "audit_tenant", None)
    entry = AuditEntry(
        action=action,
        kind=_table(row),
        object_id=str(row.pk)[:200],
        object_name=_text(name() if name else str(row))[:200],
        tenant_id=tenant_id or (owner() if owner and action != AuditEntry.Action.DELETED else None),
    )
    with transaction.atomic():
        return _add(entry, changes)


def lock() -> AuditHead:
    """Take the chain's head for this transaction, and return it."""
    head = AuditHead.objects.select_for_update().filter(pk=AuditHead.ONLY).first()
    if head is not None:
        return head
    AuditHead.objects.get_or_create(pk=AuditHead.ONLY)
    return AuditHead.objects.select_for_update().get(pk=AuditHead.ONLY)


def told(field: "models.Field[Any, Any]", row: models.Model) -> Any:
    """Return what may be told of a row's field."""
    value = getattr(row, field.attname)
    if isinstance(field, SealedTextField) or any(word in field.name for word in NEVER_SHOWN):
        return SECRET if value else value
    if field.is_relation and value is not None:
        related = getattr(row, field.name, None)
        return _text(f"{related} ({value})")
    return _plain(value)


def _add(entry: AuditEntry, changes: Changes) -> AuditEntry:
    head, actor = lock(), acting.current()
    entry.sequence, entry.previous = head.sequence + 1, head.hash or NO_HASH
    entry.at = clock.now()
    entry.actor_kind, entry.actor_id = str(actor.kind)[:16], actor.id[:64]
    entry.actor_name, entry.address = _text(actor.name)[:200], actor.address[:64]
    entry.reason = _text(acting.reason())
    plain = {field: [_plain(before), _plain(after)] for field, (before, after) in changes.items()}
    entry.changes = json.dumps(plain, cls=DjangoJSONEncoder, sort_keys=True, ensure_ascii=True)
    entry.hash = entry.worked_out_hash()
    entry.save()
    AuditHead.objects.filter(pk=AuditHead.ONLY).update(sequence=entry.sequence, hash=entry.hash)
    # Where log lines are kept elsewhere, they hold what nobody with this database alone can make undone.
    transaction.on_commit(partial(_tell, entry), robust=True)
    return entry


def _table(row: models.Model) -> str:
    """Return the name of the table, whatever page shows its rows under another."""
    concrete = row._meta.concrete_model
    return (row if concrete is None else concrete)._meta.label_lower


def _tell(entry: AuditEntry) -> None:
    log.info(
        "audit",
        extra={
            "audit_sequence": entry.sequence,
            "audit_hash": entry.hash,
            "audit_action": entry.action,
            "audit_kind": entry.kind,
            "audit_object": entry.object_id,
        },
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return _text(str(value))


def _text(text: str) -> str:
    """Return a text without what is or looks like a secret, and without what no database takes."""
    known = tuple(secret for secret in logs.configured_secrets() if len(secret) >= logs.SHORTEST_SECRET)
    return logs.masked(text[: LONGEST_VALUE * 2], known=known)[:LONGEST_VALUE].replace("\0", "�")
