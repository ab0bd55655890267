"""Guessing keys at the door: limited by the address that a trusted proxy names, whatever else is written (A8, D4)."""

import json
import secrets

import pytest

from accounts import guesses
from tests.live import LiveProxx


@pytest.fixture
def proxx(start_proxx) -> LiveProxx:
    return start_proxx(env={"PROXY_TRUSTED_PROXIES": "127.0.0.1"})


def guess(proxx: LiveProxx, chain: str, **more: str) -> tuple[int, dict[str, str], dict]:
    token = "pxx_" + secrets.token_urlsafe(32)
    headers = {"authorization": f"Bearer {token}", "x-forwarded-for": chain, **more}
    status, answered, raw = proxx.request("GET", "/v1/models", None, headers)
    return status, answered, json.loads(raw)


def test_an_address_that_guesses_is_told_to_wait_and_others_are_not(proxx: LiveProxx):
    statuses = [guess(proxx, f"192.0.2.{number}, 203.0.113.9")[0] for number in range(guesses.ADDRESS_BURST)]
    assert set(statuses) == {401}
    status, answered, body = guess(proxx, "192.0.2.200, 203.0.113.9")
    assert (status, body["error"]["code"]) == (429, "too_many_wrong_keys")
    assert int(answered["retry-after"]) >= 1
    assert guess(proxx, "203.0.113.9, 198.51.100.7")[0] == 401, "another client behind the same proxy"
    known = proxx.request("GET", "/v1/models", None, {"x-forwarded-for": "203.0.113.9"})
    assert known[0] == 200, "who has a key is not kept out by who guesses beside them"


def test_a_header_with_an_underscore_is_no_forwarded_address(proxx: LiveProxx):
    for number in range(guesses.ADDRESS_BURST):
        guess(proxx, "203.0.113.9", x_forwarded_for=f"192.0.2.{number}")
    assert guess(proxx, "203.0.113.9", x_forwarded_for="192.0.2.99")[0] == 429


def test_the_answer_to_a_wrong_key_never_tells_how_wrong_it_is(proxx: LiveProxx):
    unknown = guess(proxx, "203.0.113.9")
    listed = proxx.run(
        "from accounts import keys; from accounts.models import Tenant\n"
        "key, token = keys.issue(Tenant.objects.get(slug='default'), label='gone'); keys.revoke(key)\n"
        "result = token"
    )
    shapes = {"revoked": listed, "one letter off": listed[:-1] + ("A" if listed[-1] != "A" else "B"), "no key": "x"}
    for token in shapes.values():
        headers = {"authorization": f"Bearer {token}", "x-forwarded-for": "203.0.113.9"}
        status, _, raw = proxx.request("GET", "/v1/models", None, headers)
        assert (status, json.loads(raw)) == (unknown[0], unknown[2])
