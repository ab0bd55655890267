"""What went wrong, dialect-free: the vocabulary in which errors are handed to a dialect's writer, and refusals of a
reader.

The classes are the rows of the error table in docs/failures.md; each dialect maps a class to its own type and code.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """One error as the caller may know it: its class, a message, and the vendor code where there is one.

    `retry_after`: seconds until it is worth another try, for dialects whose clients look for it in the body.
    """

    kind: str
    message: str
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None


class Unreadable(ValueError):
    """A client's body that is not a request of its dialect; says which field and why."""

    def __init__(self, message: str, *, code: str = "invalid_body", param: str | None = None) -> None:
        super().__init__(message)
        self.message, self.code, self.param = message, code, param


class Inexpressible(ValueError):
    """A request that this upstream's dialect or model cannot carry without being silently wrong; another may."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message, self.param = message, param
