"""Whose address a request counts as, whatever a client writes into its headers (security D4)."""

import pytest

from proxx.kit import peer

PROXY = "10.0.0.1"


@pytest.fixture(autouse=True)
def proxies(settings):
    settings.PROXY_TRUSTED_PROXIES = ("10.0.0.0/8", "2001:db8::1")


@pytest.mark.parametrize("chain", ["203.0.113.9", "127.0.0.1", "10.0.0.1", "203.0.113.9, 10.0.0.1", "nonsense"])
def test_a_stranger_can_name_nobody_but_itself(chain):
    assert peer.client_address("198.51.100.7", chain) == "198.51.100.7"


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("", PROXY),
        ("203.0.113.9", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.7, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("203.0.113.9,,10.0.0.2", "10.0.0.2"),
        ("203.0.113.9, 10.0.0.2 , unknown", PROXY),
        ("10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("2001:DB8:0::5", "2001:db8::5"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_behind_a_proxy_the_last_stranger_of_the_chain_counts(chain, client):
    assert peer.client_address(PROXY, chain) == client


@pytest.mark.parametrize("chain", ["1.2.3.4", "1.2.3.4, 10.0.0.2", "10.0.0.9, 10.0.0.2", "unknown, 10.0.0.2", "x"])
def test_to_ask_twice_changes_nothing(chain):
    once = peer.client_address(PROXY, chain)
    assert peer.client_address(once, chain) == once


def test_a_proxy_seen_through_a_socket_of_both_kinds_is_the_same_proxy():
    assert peer.trusted("::ffff:10.0.0.1")
    assert not peer.trusted("::ffff:11.0.0.1")


def test_without_configured_proxies_nobody_is_believed(settings):
    settings.PROXY_TRUSTED_PROXIES = ()
    assert peer.client_address(PROXY, "203.0.113.9") == PROXY


def test_what_is_no_address_lies_in_no_network():
    everything = peer.networks(("0.0.0.0/0", "::/0"))
    assert peer.within("198.51.100.7", everything)
    assert not peer.within("", everything)
    assert not peer.within("/run/proxx.sock", everything)
