"""Rows that follow a file or the environment: whatever is changed in them here, the next reload would undo."""

from django.conf import settings
from django.db.models import Model

from accounts.models import Credential
from routing.models import ModelPreference, PolicyRule

# By table, the sources that the operator does not have in hand here.
ELSEWHERE: dict[type[Model], frozenset[str]] = {
    Credential: frozenset(Credential.Source.values) - {Credential.Source.CONSOLE.value},
    ModelPreference: frozenset({ModelPreference.Source.FILE.value}),
    PolicyRule: frozenset({PolicyRule.Source.FILE.value}),
}


def follows(row: Model | None) -> bool:
    """Tell whether a file or the environment says what this row says. With a database of its own, those only bring
    what it does not know yet (seeding.py)."""
    if row is None or settings.DATABASE_URL:
        return False
    return getattr(row, "source", "") in ELSEWHERE.get(type(row), frozenset())
