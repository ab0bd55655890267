"""A field's value as a configuration file writes it, and back. A value of the wrong kind is refused, not bent."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from accounts.limit import NANO, Limit
from accounts.models import ApiKey, Operator
from routing.config.tables import NAMED_BY


class NotHere(ValidationError):
    """A row points to what no file brings: a key or an operator that this proxx does not have."""


def written(field: Any, row: Any) -> Any:
    """Return what the file says of a row's field."""
    value = getattr(row, field.attname)
    if value is None:
        return None
    if field.is_relation:
        return str(getattr(getattr(row, field.name), NAMED_BY[field.related_model]))
    if is_money(field, row):
        return Decimal(value) / NANO
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value if isinstance(value, str | int | float | bool | Decimal | list | dict) else str(value)


def read(field: Any, value: Any, row: Any) -> Any:
    """Return what a row's attribute (`attname`) becomes; raise `ValidationError` in words for a value that is none."""
    if value is None:
        if field.null:
            return None
        raise ValidationError("may not be empty; leave the line out instead")
    if field.is_relation:
        return _related(field.related_model, value).pk
    if is_money(field, row):
        return _nano(value)
    for kind, (types, what) in KINDS.items():
        if isinstance(field, kind) and (
            not isinstance(value, types) or (isinstance(value, bool) and bool not in types)
        ):
            raise ValidationError(f"must be {what}")
    return field.to_python(str(value) if isinstance(value, float) else value)


def default(field: Any) -> Any:
    """Return what a field holds of which the file says nothing."""
    return field.get_default()


def is_money(field: Any, row: Any) -> bool:
    """Tell whether a number is kept in nano-dollars, which the file writes as dollars."""
    return isinstance(row, Limit) and field.name == "amount" and str(row.kind).startswith("money")


def _nano(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValidationError("must be a number of dollars")
    amount = Decimal(str(value)) * NANO
    if amount != amount.to_integral_value():
        raise ValidationError("has more than nine places after the point")
    return int(amount)


def _related(model: type[models.Model], name: Any) -> models.Model:
    meta = model._meta
    try:
        found = model._base_manager.filter(**{NAMED_BY[model]: name}).first()
    except (ValidationError, ValueError, TypeError):
        found = None
    if found is None:
        fault = NotHere if model in UNBROUGHT else ValidationError
        raise fault(f"there is no {meta.verbose_name} {name!r}")
    return found


# Tokens, digests and passwords are never in a file.
UNBROUGHT: tuple[type[models.Model], ...] = (ApiKey, Operator)
_TEXT: tuple[tuple[type, ...], str] = ((str,), "a text; put it in quotes")
_NUMBER: tuple[tuple[type, ...], str] = ((int, float, Decimal), "a number")
KINDS: dict[type[Any], tuple[tuple[type, ...], str]] = {
    models.CharField: _TEXT,
    models.TextField: _TEXT,
    models.BooleanField: ((bool,), "true or false"),
    models.IntegerField: ((int,), "a whole number"),
    models.DecimalField: _NUMBER,
    models.FloatField: _NUMBER,
    models.DateTimeField: ((str, datetime), "a date and time such as 2027-01-31T12:00:00Z"),
    models.UUIDField: _TEXT,
}
