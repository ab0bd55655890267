"""Whose address a request counts as, when reverse proxies stand in front (security D4).

X-Forwarded-For is believed only from the peers that PROXY_TRUSTED_PROXIES names; of the chain, the right-most address
that is not one of them is the client. Every server of ours asks here once and puts the answer into `scope["client"]`:
whatever reads REMOTE_ADDR (limits on guesses, lists of networks, records, the console's lock-out) has it already.
To ask again with the answer gives the same answer.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from proxx.kit.configured import settings

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]


def client_address(peer: str, forwarded_for: str) -> str:
    """Return who calls: the peer itself, or whom the chain that a trusted peer passed on names as the last stranger."""
    client = peer
    if forwarded_for and trusted(peer):
        for hop in reversed(forwarded_for.split(",")):
            address = parsed(hop.strip())
            if address is None:
                break  # a hop that nobody can read ends what may be believed
            client = str(address)
            if not trusted(client):
                break
    return client


@lru_cache(maxsize=1024)
def _trusted(host: str, proxies: tuple[str, ...]) -> bool:
    return within(host, networks(proxies))


def trusted(host: str) -> bool:
    """Tell whether this address is one of the operator's proxies."""
    proxies = settings.PROXY_TRUSTED_PROXIES
    return bool(proxies) and _trusted(host, tuple(proxies))


def within(host: str, allowed: Networks) -> bool:
    """Tell whether an address lies in one of these networks; what is no address lies in none."""
    address = parsed(host)
    return address is not None and any(address in network for network in allowed)


@lru_cache(maxsize=256)
def networks(texts: tuple[str, ...]) -> Networks:
    """Return addresses and networks (`10.0.0.0/8`, `::1`) as networks; raise `ValueError` for what is neither."""
    return tuple(ip_network(text, strict=False) for text in texts)


def faulty(texts: Sequence[str]) -> str | None:
    """Return the first entry that is neither an address nor a network, if there is one."""
    for text in texts:
        try:
            ip_network(text, strict=False)
        except ValueError:
            return text
    return None


def parsed(host: str) -> Address | None:
    """Return an address as its value, or nothing; one of IPv4 inside one of IPv6, as sockets for both show it, is that
    of IPv4."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
