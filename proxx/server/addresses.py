"""Who is really calling, when a reverse proxy stands in front (security D4).

X-Forwarded-For and X-Forwarded-Proto are believed only from the peers that PROXY_TRUSTED_PROXIES names; of the chain,
the right-most address that is not one of them is the client. Everybody else's are ignored.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings

Address = tuple[str, int]
_Networks = tuple[IPv4Network | IPv6Network, ...]


@lru_cache(maxsize=1024)
def trusted(host: str) -> bool:
    """Tell whether this address is one of the operator's proxies."""
    networks = _networks(tuple(settings.PROXY_TRUSTED_PROXIES))
    if not networks:
        return False
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)


def seen_through(headers: Iterable[tuple[bytes, bytes]], peer: Address, scheme: str) -> tuple[Address, str]:
    """Return client and scheme of a request that came from a trusted peer."""
    hops: list[str] = []
    for name, value in headers:
        if name == b"x-forwarded-for":
            hops += [hop.strip() for hop in value.decode("latin-1").split(",")]
        elif name == b"x-forwarded-proto":
            last = value.decode("latin-1").rpartition(",")[2].strip().lower()
            scheme = last if last in ("http", "https") else scheme
    return _client(hops, peer), scheme


def faulty(networks: Sequence[str]) -> str | None:
    """Return the first entry that is neither an address nor a network, if there is one."""
    for text in networks:
        try:
            ip_network(text, strict=False)
        except ValueError:
            return text
    return None


def _client(hops: list[str], peer: Address) -> Address:
    client = peer
    for hop in reversed(hops):
        try:
            client = (str(ip_address(hop)), 0)
        except ValueError:
            break  # a hop that nobody can read ends what may be believed
        if not trusted(client[0]):
            break
    return client


@lru_cache(maxsize=4)
def _networks(texts: tuple[str, ...]) -> _Networks:
    return tuple(ip_network(text, strict=False) for text in texts)
