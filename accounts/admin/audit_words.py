"""What an entry of the audit says, in the words of the console."""

import json
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.urls import NoReverseMatch, reverse

from accounts.audit_entry import AuditEntry

# What the columns' own names do not say to people.
WORDS = {"digest": "fingerprint of the key", "last4": "last four characters", "is_staff": "may use the console"}
MARKS = {"added": "ok", "changed": "cancelled", "deleted": "error"}  # colours of traffic.css


def mark(entry: AuditEntry) -> str:
    """Return which of the pages' colours an action has."""
    return MARKS.get(entry.action, "refused")


def differences(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """Return (field, before, after) in words."""
    meta = _meta(entry.kind)
    return [(_label(meta, field), _words(before), _words(after)) for field, before, after in entry.differences()]


def table_name(kind: str) -> str:
    """Return what people call a table's rows."""
    meta = _meta(kind)
    return kind if meta is None else str(meta.verbose_name)


def page_of_row(entry: AuditEntry) -> str:
    """Return the address of the row's own page, if there is one and the row is still there."""
    meta = _meta(entry.kind)
    if meta is None or not meta.model._base_manager.filter(pk=entry.object_id).exists():
        return ""
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[entry.object_id])
    except NoReverseMatch:
        return ""


def _meta(kind: str) -> Any:
    try:
        return apps.get_model(kind)._meta
    except (LookupError, ValueError):
        return None


def _label(meta: Any, field: str) -> str:
    if field in WORDS:
        return WORDS[field]
    try:
        return str(meta.get_field(field).verbose_name)
    except (AttributeError, FieldDoesNotExist):
        return field.replace("_", " ")


def _words(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(one, str) for one in value):
            return "\n".join(value)
        case list() | dict():
            return json.dumps(value, indent=2, ensure_ascii=False)
        case _:
            return str(value)
