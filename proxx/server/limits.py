"""What the server grants a connection, read from the settings once: bytes, counts and seconds."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, counts and seconds; each field is the setting of its name (docs/operations.md)."""

    head: int
    head_count: int
    head_timeout: float
    body: int
    body_without_key: int
    bodies_in_flight: int
    body_timeout: float
    write_buffer: int
    reader_timeout: float
    keep_alive: float
    connections: int
    connections_per_address: int

    @classmethod
    def from_settings(cls) -> Self:
        """Read them all."""
        # Where nobody has a key, nobody can be asked for one.
        small = (
            settings.PROXY_BODY_LIMIT if settings.PROXY_ALLOW_UNAUTHENTICATED else settings.PROXY_BODY_LIMIT_WITHOUT_KEY
        )
        return cls(
            head=settings.PROXY_HEADER_LIMIT,
            head_count=settings.PROXY_HEADER_COUNT_LIMIT,
            head_timeout=settings.PROXY_HEADER_TIMEOUT,
            body=settings.PROXY_BODY_LIMIT,
            body_without_key=min(small, settings.PROXY_BODY_LIMIT),
            bodies_in_flight=settings.PROXY_BODIES_IN_FLIGHT_LIMIT,
            body_timeout=settings.PROXY_BODY_TIMEOUT,
            write_buffer=settings.PROXY_WRITE_BUFFER_LIMIT,
            reader_timeout=settings.PROXY_READER_TIMEOUT,
            keep_alive=settings.PROXY_KEEP_ALIVE,
            connections=settings.PROXY_CONNECTION_LIMIT,
            connections_per_address=settings.PROXY_CONNECTIONS_PER_ADDRESS,
        )

    @property
    def beat(self) -> float:
        """Seconds between two looks at the deadlines: a quarter of the shortest, at most one second."""
        shortest = min(self.head_timeout, self.body_timeout, self.reader_timeout, self.keep_alive or 4.0)
        return min(1.0, max(0.02, shortest / 4))
