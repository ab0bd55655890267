"""What a request wants and its upstream cannot be told: noted, or refused when the caller is strict.

Readers, writers and the tools between them take a `Losses` and say what they drop, in the field names of the caller's
dialect. Never silent: the notes travel in `x-proxx-warnings` and on the record (docs/protocols-losses.md lists them).
"""

from typing import NoReturn

from proxx.protocols.hub.errors import Inexpressible

LIMIT = 32  # notes on one call: what more there is repeats itself


class Losses:
    """The notes of one attempt. `strict` turns every dropped field into a refusal."""

    __slots__ = ("notes", "strict")

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.notes: list[str] = []

    def drop(self, field: str, reason: str) -> None:
        """Note that `field` is not sent, or not as it was said, and why (a short phrase without `;` or `,`)."""
        if self.strict:
            raise Inexpressible(f"'{field}' cannot be sent to this model: {reason}.", param=field)
        note = f"{field};{reason}"
        if note not in self.notes and len(self.notes) < LIMIT:
            self.notes.append(note)

    def refuse(self, field: str, reason: str) -> NoReturn:
        """Refuse the request: without `field` the answer would be silently wrong. Always raises `Inexpressible`."""
        raise Inexpressible(f"'{field}' cannot be sent to this model: {reason}.", param=field)
