"""Every place in the database that holds something sealed, so that a change of keys misses none (resealing.py).

Columns are found by their kind (`SealedTextField`). What is sealed inside another value, a JSON for instance, is an
entry of INSIDE; tests/house/test_sealed_places.py insists that whoever calls `sealing.seal` stands here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet

from accounts.fields import SealedTextField
from accounts.signin import second_factor
from proxx.kit import sealing

# Who seals what stays in no row, and why nothing has to be moved.
PASSING = {"proxx/gateway/kept.py": "Answers are held for a day (docs/responses.md), in memory or in Redis."}


@dataclass(frozen=True, slots=True)
class Place:
    """Where sealed texts lie: which rows have one, how it is read and put back, and what it is bound to."""

    name: str
    sealed_by: str  # the file that seals here
    filled: Callable[[], "QuerySet[Any]"]
    lookup: str  # the sealed text, as a filter names it
    read: Callable[[Any], str]
    context: Callable[[Any], str]
    changed: Callable[[Any, str], dict[str, Any]]  # (row, fresh text) -> what `update` writes
    marked_in: str = ""  # a column that says how the text begins, where it is too long to be looked at in every row

    def left(self) -> "QuerySet[Any]":
        """Return the rows whose text is sealed under a key that seals nothing any more."""
        return self.filled().exclude(**{f"{self.marked_in or self.lookup}__startswith": sealing.current_mark()})

    def exchange(self, row: Any, fresh: str) -> bool:
        """Store a fresh text, only if nobody changed the row's since it was read; tell whether it was."""
        still = self.filled().filter(pk=row.pk, **{self.lookup: self.read(row)})
        return bool(still.update(**self.changed(row, fresh)))


def places() -> Iterator[Place]:
    """Yield every place."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, SealedTextField):
                yield _column(model, field)
    yield from INSIDE


def _column(model: type[models.Model], field: SealedTextField) -> Place:
    name, mark = field.attname, field.mark
    return Place(
        name=f"{model._meta.label}.{name}",
        sealed_by="accounts/fields.py",
        filled=lambda: model._base_manager.filter(~Q(**{mark or name: ""})),
        lookup=name,
        read=lambda row: str(getattr(row, name)),
        context=lambda row: str(row.pk),
        changed=lambda _, fresh: {name: fresh, **({mark: sealing.current_mark()} if mark else {})},
        marked_in=mark,
    )


INSIDE = (
    Place(
        name="mfa.Authenticator.data['secret']",
        sealed_by="accounts/signin/second_factor.py",
        filled=lambda: Authenticator._base_manager.filter(type=Authenticator.Type.TOTP, data__has_key="secret"),
        lookup="data__secret",
        read=lambda row: str(row.data["secret"]),
        context=lambda row: second_factor.context_of(row.user_id),
        changed=lambda row, fresh: {"data": {**row.data, "secret": fresh}},
    ),
)
