"""Pages of rows by their place in an order, not by number: no page is counted, none shifts while others add rows."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

from proxx.api.control.errors import Refused

MOST = 200
USUAL = 50


@dataclass(frozen=True, slots=True)
class Order:
    """By which fields, never null and together unique; all of them in one direction."""

    fields: tuple[str, ...]
    newest_first: bool = False


def page(queryset: QuerySet[Any], order: Order, *, limit: int, after: str | None) -> tuple[list[Any], str | None]:
    """Return one page of rows, and the mark of the last one if more may follow."""
    if after:
        queryset = queryset.filter(_beyond(order, _read(queryset.model, order, after)))
    sign = "-" if order.newest_first else ""
    rows = list(queryset.order_by(*(sign + field for field in order.fields))[: limit + 1])
    return rows[:limit], _mark(rows[limit - 1], order) if len(rows) > limit else None


def _mark(row: Model, order: Order) -> str:
    places = [str(getattr(row, field)) for field in order.fields]
    return base64.urlsafe_b64encode(json.dumps(places).encode()).decode().rstrip("=")


def _read(model: type[Model], order: Order, mark: str) -> list[Any]:
    try:
        places = json.loads(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))
        if not isinstance(places, list) or len(places) != len(order.fields):
            raise ValueError
        found = [
            cast(Any, model._meta.get_field(name)).to_python(str(place))
            for name, place in zip(order.fields, places, strict=True)
        ]
    except (ValueError, ValidationError, binascii.Error, RecursionError):
        raise Refused(422, "invalid_fields", "`after` is not a mark that a page ended with.", param="after") from None
    if any("\x00" in str(one) for one in found):
        raise Refused(422, "invalid_fields", "`after` is not a mark that a page ended with.", param="after")
    return found


def _beyond(order: Order, places: Sequence[Any]) -> Q:
    step = "lt" if order.newest_first else "gt"
    condition, equal = Q(), Q()
    for field, place in zip(order.fields, places, strict=True):
        condition |= equal & Q(**{f"{field}__{step}": place})
        equal &= Q(**{field: place})
    return condition
