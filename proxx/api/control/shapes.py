"""What a table's rows look like in JSON: schemas made of the model's own fields, so that both say the same.

Kinds: `New` (what one may say of a row that is to be), `Change` (of one that is; nothing is required), rows as shown,
and pages of those. Unknown fields are refused everywhere. Texts that hold one name a line are lists here. What a value
may be is the model's word (`full_clean`), repeated in the schema as far as schemas can say it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models
from ninja import Schema
from pydantic import ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, create_model

from accounts.profile import lines_of

LONGEST_LIST = 1000
LONGEST_TEXT = 20_000
BIGGEST = 2**63 - 1

Line = Annotated[StrictStr, Field(max_length=300, pattern=r"^[^\r\n]*$")]
Lines = Annotated[list[Line], Field(max_length=LONGEST_LIST)]


class Strict(Schema):
    """What callers send: a field that nobody knows is a mistake of theirs, and is told."""

    model_config = ConfigDict(extra="forbid")


def written(
    name: str,
    model: type[models.Model],
    fields: Iterable[str],
    *,
    required: Iterable[str] = (),
    lines: Iterable[str] = (),
    more: Mapping[str, Any] | None = None,
) -> type[Strict]:
    """Return the schema of what may be written of a model; what is not required may be left out. `more` are further
    fields, or other types of the model's own, by name."""
    wanted, as_lines = frozenset(required), frozenset(lines)
    made: dict[str, Any] = {}
    for field in fields:
        column = _column(model, field)
        kind = (more or {}).get(field) or (Lines if field in as_lines else _kind(column))
        made[field] = (kind, _info(column, is_required=field in wanted))
    for field, kind in (more or {}).items():
        made.setdefault(field, (kind, _info(None, is_required=field in wanted)))
    schema: type[Strict] = create_model(name, __base__=Strict, **made)
    return schema


def shown(
    name: str,
    model: type[models.Model],
    fields: Iterable[str],
    *,
    lines: Iterable[str] = (),
    more: Mapping[str, Any] | None = None,
) -> type[Schema]:
    """Return the schema of a row as it is answered; every field is there always."""
    as_lines = frozenset(lines)
    made: dict[str, Any] = {}
    for field in fields:
        column = _column(model, field)
        kind = (more or {}).get(field) or (list[str] if field in as_lines else _kind(column, is_answer=True))
        made[field] = (kind, Field(description=_help(column) or None))
    made |= {field: (kind, ...) for field, kind in (more or {}).items() if field not in made}
    schema: type[Schema] = create_model(name, __base__=Schema, **made)
    return schema


def asked(name: str, model: type[models.Model], fields: Iterable[str], more: Mapping[str, Any]) -> type[Schema]:
    """Return the schema of the fields that a list may be asked by, each of which may be left out; `more` are further
    ones by name and type."""
    made: dict[str, Any] = {}
    for field in fields:
        column = _column(model, field)
        made[field] = (
            _kind(column, is_answer=True) | None,
            Field(default=None, description=f"Only with this {field}."),
        )
    made |= {field: (kind | None, Field(default=None)) for field, kind in more.items()}
    schema: type[Schema] = create_model(name, __base__=Schema, **made)
    return schema


def values(row: models.Model, fields: Iterable[str], *, lines: Sequence[str] = ()) -> dict[str, Any]:
    """Return a row's fields as `shown` promises them."""
    found = {field: getattr(row, column_of(field)) for field in fields}
    return {field: list(lines_of(value)) if field in lines else value for field, value in found.items()}


def unlined(said: dict[str, Any], lines: Sequence[str]) -> dict[str, Any]:
    """Return what was written as the columns hold it: lists become one name a line."""
    return {column_of(name): "\n".join(value) if name in lines else value for name, value in said.items()}


def page_of(name: str, schema: type[Schema]) -> type[Schema]:
    """Return the schema of one page of rows, and where the next one begins."""
    row: Any = schema
    after = Field(description="Give this as `after` for the next page; null: this was the last one.")
    page: type[Schema] = create_model(name, __base__=Schema, data=(list[row], ...), next=(str | None, after))
    return page


def column_of(field: str) -> str:
    """Return the column behind a field; a schema cannot have one of the name `schema`."""
    return "schema" if field == "keeps_schema" else field


def _column(model: type[models.Model], field: str) -> Any:
    name = column_of(field)
    return model._meta.get_field(name.removesuffix("_id") if _is_link(model, name) else name)


def _is_link(model: type[models.Model], field: str) -> bool:
    return field.endswith("_id") and any(
        column.attname == field and column.is_relation for column in model._meta.concrete_fields
    )


def _info(column: Any, *, is_required: bool) -> Any:
    said: str | None = _help(column) or None if column is not None else None
    if is_required:
        needed: Any = Field(description=said)
        return needed
    # Left out is not null: the default is never seen, so the document must not name it.
    absent: Any = Field(default=None, description=said, json_schema_extra=_no_default)
    return absent


def _no_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _help(column: Any) -> str:
    return str(getattr(column, "help_text", "") or "")


def _kind(column: Any, *, is_answer: bool = False) -> Any:
    target = column.target_field if column.is_relation else column
    make = next(made for kind, made in KINDS if isinstance(target, kind))
    kind = make(target, is_answer)
    return kind | None if column.null else kind


def _text(column: Any, is_answer: bool) -> Any:  # noqa: FBT001 - a row of the table below
    if column.choices:
        words = [value for value, _ in column.choices] + ([""] if column.blank else [])
        return Literal[tuple(dict.fromkeys(words))]
    if is_answer:
        return str
    return Annotated[
        StrictStr, Field(max_length=column.max_length or LONGEST_TEXT, min_length=0 if column.blank else 1)
    ]


def _number(column: Any, is_answer: bool) -> Any:  # noqa: FBT001
    if is_answer:
        return int
    least, most = _bounds(column, 0 if "Positive" in type(column).__name__ else -BIGGEST, BIGGEST)
    return Annotated[StrictInt, Field(ge=least, le=most)]


def _float(column: Any, is_answer: bool) -> Any:  # noqa: FBT001
    if is_answer:
        return float
    least, most = _bounds(column, -1e300, 1e300)
    return Annotated[StrictFloat | StrictInt, Field(ge=least, le=most)]


def _money(column: Any, is_answer: bool) -> Any:  # noqa: FBT001
    digits = {"max_digits": column.max_digits, "decimal_places": column.decimal_places}
    return Annotated[Decimal, Field(description=_help(column))] if is_answer else Annotated[Decimal, Field(**digits)]


def _bounds(column: Any, least: Any, most: Any) -> tuple[Any, Any]:
    """Return the narrowest bounds that the column's validators state."""
    for validator in column.validators:
        if isinstance(validator, BaseValidator) and not callable(validator.limit_value):
            if isinstance(validator, MinValueValidator):
                least = max(least, validator.limit_value)
            elif isinstance(validator, MaxValueValidator):
                most = min(most, validator.limit_value)
    return least, most


Make = Callable[[Any, bool], Any]
KINDS: tuple[tuple[type[Any], Make], ...] = (
    (models.UUIDField, lambda column, is_answer: UUID),
    (models.BooleanField, lambda column, is_answer: bool if is_answer else StrictBool),
    (models.IntegerField, _number),
    (models.FloatField, _float),
    (models.DecimalField, _money),
    (models.DateTimeField, lambda column, is_answer: datetime),
    (models.CharField, _text),
    (models.TextField, _text),
)
