"""What an exchange needs of the connection below it, and the one fault that only a connection knows."""

from typing import Protocol

import httpx


class Line(Protocol):
    """What an exchange needs of its connection."""

    def resume(self) -> None:
        """Read on."""
        ...

    def hurry(self, seconds: float) -> None:
        """Close when the answer is not whole after so long."""
        ...

    def drop(self) -> None:
        """Close at once."""
        ...


class StaleConnection(httpx.ReadError):
    """A pooled connection was closed by the upstream just as we used it again, before any byte of an answer."""
