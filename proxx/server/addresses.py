"""What a reverse proxy in front says of a request: its client, and whether that one speaks https (security D4).

Whom to believe is kit/peer.py.
"""

from collections.abc import Iterable

from proxx.kit import peer as peers

Address = tuple[str, int]


def seen_through(headers: Iterable[tuple[bytes, bytes]], peer: Address, scheme: str) -> tuple[Address, str]:
    """Return client and scheme of a request that came from a trusted peer."""
    chain: list[str] = []
    for name, value in headers:
        if name == b"x-forwarded-for":
            chain.append(value.decode("latin-1"))
        elif name == b"x-forwarded-proto":
            last = value.decode("latin-1").rpartition(",")[2].strip().lower()
            scheme = last if last in ("http", "https") else scheme
    client = peers.client_address(peer[0], ",".join(chain))
    return (peer if client == peer[0] else (client, 0)), scheme
