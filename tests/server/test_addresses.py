"""Who is calling through which proxies."""

import pytest

from proxx.kit import peer
from proxx.server import addresses

PEER = ("10.0.0.1", 5)


@pytest.fixture(autouse=True)
def proxies(settings):
    settings.PROXY_TRUSTED_PROXIES = ("10.0.0.0/8", "::1")


def client(*chains):
    return addresses.seen_through([(b"x-forwarded-for", chain) for chain in chains], PEER, "http")[0]


def test_only_the_operators_proxies_are_trusted():
    assert peer.trusted("10.9.8.7")
    assert peer.trusted("::1")
    assert not peer.trusted("11.0.0.1")
    assert not peer.trusted("")


def test_the_right_most_stranger_is_the_client():
    assert client(b"6.6.6.6, 203.0.113.9, 10.0.0.2") == ("203.0.113.9", 0)
    assert client(b"6.6.6.6", b"203.0.113.9") == ("203.0.113.9", 0)


def test_a_hop_that_cannot_be_read_ends_what_is_believed():
    assert client(b"203.0.113.9, unknown, 10.0.0.2") == ("10.0.0.2", 0)
    assert client(b"nonsense") == PEER


def test_without_a_chain_the_peer_is_the_client():
    assert client() == PEER


def test_the_scheme_is_the_last_proxys_word():
    for value, scheme in ((b"https", "https"), (b"http, HTTPS", "https"), (b"gopher", "http")):
        assert addresses.seen_through([(b"x-forwarded-proto", value)], PEER, "http")[1] == scheme


def test_a_faulty_entry_is_found():
    assert peer.faulty(("10.0.0.0/8", "caddy")) == "caddy"
    assert peer.faulty(("10.0.0.1", "::/0")) is None
