"""AuditEntry: who changed what, when and from where. Rows are added by audit.py and never change; each carries the hash
of the one before it, so that a change made behind proxx's back shows (audit_chain.py).
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn
from uuid import UUID

from django.db import models

from accounts.acting import ActorKind

FORM = 1  # of the text that is hashed
NO_HASH = "0" * 64  # what the first entry follows


class AppendOnly(TypeError):
    """An attempt to change or remove what is in the audit."""


class AuditEntries(models.QuerySet["AuditEntry"]):
    """Entries to be read: what would change or remove them refuses."""

    def update(self, **_: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly("Entries of the audit do not change.")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnly("Entries of the audit stay.")


class AuditEntry(models.Model):
    """One thing that was done. Nothing points to other tables: an entry outlives what it tells of."""

    class Action(models.TextChoices):
        """What becomes of a row; events that are no change of a row have words of their own."""

        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        DELETED = "deleted", "Deleted"

    sequence = models.BigIntegerField("number", primary_key=True)
    at = models.DateTimeField("time")
    actor_kind = models.CharField("kind of actor", max_length=16)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField("who", max_length=200, blank=True)
    address = models.CharField("from", max_length=64, blank=True)
    action = models.CharField(max_length=40)
    kind = models.CharField("what", max_length=80, blank=True)
    object_id = models.CharField(max_length=200, blank=True)
    object_name = models.CharField("name", max_length=200, blank=True)
    tenant_id = models.UUIDField("tenant", null=True)
    # Text, not JSON: a database may write JSON its own way, and the hash is of these very characters.
    changes = models.TextField(default="{}")
    reason = models.TextField(blank=True)
    previous = models.CharField("hash before", max_length=64)
    hash = models.CharField(max_length=64)

    objects = AuditEntries.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit"
        default_permissions = ("view",)
        ordering: ClassVar = ["-sequence"]
        indexes: ClassVar = [
            models.Index(fields=["kind", "object_id", "-sequence"], name="audit_by_object"),
            models.Index(fields=["tenant_id", "-sequence"], name="audit_by_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.actor} {self.action} {self.kind} {self.object_name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add a new entry; refuse to write one again."""
        if not self._state.adding:
            raise AppendOnly("Entries of the audit do not change.")
        super().save(force_insert=True)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly("Entries of the audit stay.")

    @property
    def actor(self) -> str:
        """Return who did it, in a word."""
        return self.actor_name or ("somebody" if self.actor_kind == ActorKind.NOBODY else self.actor_kind)

    def differences(self) -> Iterator[tuple[str, Any, Any]]:
        """Return (field, before, after) of everything that changed; an event has only `after`."""
        for field, (before, after) in json.loads(self.changes).items():
            yield field, before, after

    def facts(self) -> dict[str, Any]:
        """Return everything that is told and hashed, in plain types."""
        return {
            "form": FORM,
            "sequence": self.sequence,
            "at": self.at.isoformat(timespec="microseconds"),
            "actor": [self.actor_kind, self.actor_id, self.actor_name, self.address],
            "action": self.action,
            "object": [self.kind, self.object_id, self.object_name],
            "tenant": None if self.tenant_id is None else str(UUID(str(self.tenant_id))),
            "changes": self.changes,
            "reason": self.reason,
            "previous": self.previous,
        }

    def worked_out_hash(self) -> str:
        """Return the hash that these facts have."""
        text = json.dumps(self.facts(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


class AuditHead(models.Model):
    """The end of the chain: one row, which every writer locks, so that entries follow each other."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=NO_HASH)

    class Meta:
        verbose_name = "end of the audit"
        default_permissions = ()
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="audit_head_one_row")]

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"
