"""A model field whose text is sealed before it reaches the database, and the one way to open it again.

Sealing happens in `pre_save`, bound to the row's id; reading never opens anything: a row in memory, a dump and
a debug page hold the sealed text. `reveal` opens one row's secret, for the line that sends it.
"""

from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.db import models

from proxx.kit import sealing
from proxx.kit.sealing import Secret

# Shorter secrets show nothing: four of eight characters would be half of it.
SHOWS_TAIL_FROM = 12


class UnsealedWrite(ValueError):
    """Plain text on its way to a sealed column by a road that does not seal (`update`, `bulk_update`, raw)."""


if TYPE_CHECKING:  # Django's own class cannot be subscripted at run time
    _Text = models.TextField[str, str]
else:
    _Text = models.TextField


class _HasSecret(Protocol):
    pk: Any
    secret: str


class SealedTextField(_Text):
    """A text that is sealed on save and stays sealed in memory; `tail` names the field that keeps its last four.

    `mark` names one that keeps how the sealed text begins (its default is `sealing.current_mark`), so that those of a
    retired key are found without looking at long texts.
    """

    def __init__(self, *args: Any, tail: str = "", mark: str = "", **kwargs: Any) -> None:
        self.tail, self.mark = tail, mark
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Describe the field to migrations."""
        name, path, args, kwargs = super().deconstruct()
        named = {option: value for option in ("tail", "mark") if (value := getattr(self, option))}
        return name, path, args, {**kwargs, **named}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001 - Django's signature
        """Seal plain text under the row's id; the instance keeps the sealed text from then on."""
        text: str = getattr(model_instance, self.attname) or ""
        if not text or sealing.is_sealed(text):
            return text
        if self.tail:
            # Set here, not in save(), so that bulk_create does it too; `tail` stands below this field in its model.
            setattr(model_instance, self.tail, tail_of(text))
        sealed = sealing.seal(text, context=str(UUID(str(model_instance.pk))))
        setattr(model_instance, self.attname, sealed)
        return sealed

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Refuse plain text: only a sealed value, or none, may reach the database."""
        if isinstance(value, str) and value and not sealing.is_sealed(value):
            raise UnsealedWrite(f"{self.name} takes only a sealed value here; save the row, or seal it first.")
        return super().get_db_prep_save(value, connection)


def reveal(row: _HasSecret) -> Secret:
    """Open a row's secret; raise `sealing.SealBroken` if no configured key opens it or it was moved to another row."""
    return Secret(sealing.unseal(row.secret, context=str(row.pk)) if row.secret else "")


def sealed_bytes(plain: bytes, row_id: UUID) -> str:
    """Seal bytes for the row of that id, for an insert that passes no model."""
    return sealing.seal_bytes(plain, context=str(row_id))


def opened_bytes(sealed: str, row_id: UUID) -> bytes:
    """Open what `sealed_bytes` sealed for that row; raise `sealing.SealBroken`."""
    return sealing.unseal_bytes(sealed, context=str(row_id))


def tail_of(text: str) -> str:
    """Return the last four characters of a secret, or nothing if it is too short to show any."""
    return text[-4:] if len(text) >= SHOWS_TAIL_FROM else ""
