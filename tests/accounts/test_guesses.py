"""Guessing is limited in number, and counting it is limited in memory."""

from accounts import guesses
from accounts.guesses import Guesses
from proxx.kit import clock


def exhaust(counter: Guesses, address: str) -> int:
    for number in range(10_000):
        if counter.wait(address) > 0:
            return number
        counter.failed(address)
    raise AssertionError("never limited")


def test_an_address_has_a_burst_and_recovers_slowly():
    with clock.stopped() as time:
        counter = Guesses()
        assert exhaust(counter, "192.0.2.1") == guesses.ADDRESS_BURST
        assert counter.wait("192.0.2.2") == 0
        time.advance(guesses.ADDRESS_EVERY)
        assert exhaust(counter, "192.0.2.1") == 1


def test_addresses_of_one_ipv6_network_share_one_account():
    with clock.stopped():
        counter = Guesses()
        exhaust(counter, "2001:db8::1")
        assert counter.wait("2001:db8::ffff") > 0
        assert counter.wait("2001:db8:0:1::1") == 0


def test_all_together_are_limited_too():
    with clock.stopped():
        counter = Guesses()
        assert exhaust(counter, "") == guesses.TOTAL_BURST
        assert counter.wait("198.51.100.7") > 0


def test_memory_stays_bounded_and_the_quietest_is_forgotten(monkeypatch):
    monkeypatch.setattr(guesses, "ADDRESSES_REMEMBERED", 100)
    with clock.stopped():
        counter = Guesses()
        for number in range(1_000):
            counter.failed(f"no-address-{number}")
        assert len(counter) == 100
