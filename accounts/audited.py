"""Audited: the base of every table of configuration. Saving and deleting its rows writes the audit in the same
transaction, whoever does it.

Bulk writes (`update`, `bulk_create`) pass no row's `save` and are not heard: tests/house/test_audited.py lists those
there are, with reasons.
"""

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from django.db import models, transaction
from django.db.models.signals import m2m_changed, post_delete, pre_delete

from accounts import audit
from accounts.audit_entry import AuditEntry

_BEFORE = "_audit_before"
_EVIDENT = "created_at"  # an entry has a time of its own


class Audited(models.Model):
    """A row whose every change is written down. `unaudited` names fields whose change is none: times of use."""

    unaudited: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def audit_name(self) -> str:
        """Return what the audit calls this row; it outlives the row."""
        return str(self)

    def audit_tenant(self) -> UUID | None:
        """Return the tenant whose matter this is, if it is one's."""
        return getattr(self, "tenant_id", None)

    def save_base(self, *args: Any, **options: Any) -> None:
        """Save, and write down what that changed, both or neither."""
        only = options.get("update_fields")
        if only is not None and self.unaudited.issuperset(only):
            super().save_base(*args, **options)
            return
        with transaction.atomic(using=options.get("using"), savepoint=False):
            audit.lock()  # before every other lock
            before = _stored(self)
            super().save_base(*args, **options)
            _saved(self, before, None if only is None else frozenset(only))


def connect() -> None:
    """Hear deletions and links of all audited tables; to be called before anything else that hears them and locks."""
    from django.apps import apps

    for model in apps.get_models():
        if not issubclass(model, Audited):
            continue
        pre_delete.connect(_before_delete, sender=model, dispatch_uid=f"audit-before-{model._meta.label}")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"audit-deleted-{model._meta.label}")
        for relation in model._meta.many_to_many:
            through = relation.remote_field.through
            m2m_changed.connect(_linked, sender=through, dispatch_uid=f"audit-{relation}")


def _stored(row: Audited) -> Audited | None:
    return type(row)._base_manager.filter(pk=row.pk).first()


def _saved(row: Audited, before: Audited | None, only: frozenset[str] | None) -> None:
    fields = [field for field in row._meta.concrete_fields if field.name not in row.unaudited]
    if before is None:
        audit.write(AuditEntry.Action.ADDED, row, {name: (None, value) for name, value in _all_told(row)})
        return
    written = [field for field in fields if only is None or field.name in only or field.attname in only]
    changed = [
        field for field in written if field.to_python(getattr(row, field.attname)) != getattr(before, field.attname)
    ]
    if changed:
        pairs = {field.name: (audit.told(field, before), audit.told(field, row)) for field in changed}
        audit.write(AuditEntry.Action.CHANGED, row, pairs)


def _all_told(row: Audited) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the fields that say more than their default does."""
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        says = value not in (None, "", [], {}) and value != field.get_default()
        if says and not field.primary_key and field.name not in (*row.unaudited, _EVIDENT):
            yield field.name, audit.told(field, row)


def _before_delete(instance: Audited, **_: Any) -> None:
    # Told now: what it belongs to may be gone before it is.
    audit.lock()
    before = _stored(instance) or instance
    setattr(instance, _BEFORE, (before, before.audit_tenant(), list(_all_told(before))))


def _deleted(instance: Audited, **_: Any) -> None:
    before, tenant_id, said = instance.__dict__.pop(_BEFORE)
    changes = {name: (value, None) for name, value in said}
    audit.write(AuditEntry.Action.DELETED, before, changes, tenant_id=tenant_id)


def _linked(sender: Any, instance: Any, action: str, reverse: bool, model: Any, pk_set: Any, **_: Any) -> None:  # noqa: FBT001
    """Write down links, from whichever side they were made."""
    if action == "pre_clear":
        audit.lock()
        named = _names_at(sender, instance)
        if named:
            audit.write(AuditEntry.Action.CHANGED, instance, {_relation(sender, instance): (named, [])})
    elif action in ("post_add", "post_remove") and pk_set:
        named = [str(row) for row in model._base_manager.filter(pk__in=pk_set).order_by("pk")]
        pair = ([], named) if action == "post_add" else (named, [])
        audit.write(AuditEntry.Action.CHANGED, instance, {_relation(sender, instance): pair})


def _relation(sender: Any, instance: Any) -> str:
    """Return the name under which a row knows what a table of links links it to."""
    for field in instance._meta.get_fields():
        if field.many_to_many and sender in (getattr(field, "through", None), _through(field)):
            return str(getattr(field, "name", "links"))
    return "links"


def _through(field: Any) -> Any:
    return getattr(getattr(field, "remote_field", None), "through", None)


def _names_at(sender: Any, instance: Any) -> list[str]:
    linked = getattr(instance, _relation(sender, instance), None)
    return [] if linked is None else [str(row) for row in linked.all()]
