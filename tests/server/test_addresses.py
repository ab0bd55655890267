"""Who is calling through which proxies."""

import pytest

from proxx.server import addresses

PEER = ("10.0.0.1", 5)


@pytest.fixture(autouse=True)
def proxies(settings):
    settings.PROXY_TRUSTED_PROXIES = ("10.0.0.0/8", "::1")
    addresses.trusted.cache_clear()
    yield
    addresses.trusted.cache_clear()


def client(*chains):
    return addresses.seen_through([(b"x-forwarded-for", chain) for chain in chains], PEER, "http")[0]


def test_only_the_operators_proxies_are_trusted():
    assert addresses.trusted("10.9.8.7")
    assert addresses.trusted("::1")
    assert not addresses.trusted("11.0.0.1")
    assert not addresses.trusted("")


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
    assert addresses.faulty(("10.0.0.0/8", "caddy")) == "caddy"
    assert addresses.faulty(("10.0.0.1", "::/0")) is None
