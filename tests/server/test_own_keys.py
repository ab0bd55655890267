"""How large a body may be where callers bring a provider's key of their own."""

import dataclasses
from uuid import uuid4

import pytest

from proxx.server import bodies
from proxx.server.limits import Limits
from routing import reload
from routing.snapshot import ListenerView, Snapshot

LIMITS = dataclasses.replace(Limits.from_settings(), body=100_000, body_without_key=100)
OWN = ListenerView("own", None, "groq", uuid4())


@pytest.fixture(autouse=True)
def picture():
    reload.install(Snapshot(1, {}, {}, {}, hosts={"own.example.com": OWN}, ports={5105: OWN}))
    yield
    reload.install(None)


@pytest.mark.parametrize(
    ("host", "port", "token", "limit"),
    [
        (b"own.example.com:443", 8789, b"Bearer gsk_anything", 100_000),
        (b"localhost", 5105, b"Bearer gsk_anything", 100_000),
        (b"localhost", 8789, b"Bearer gsk_anything", 100),
        (b"own.example.com", 8789, b"Bearer x", 100),
    ],
)
def test_any_token_opens_the_limit_there_and_only_there(host, port, token, limit):
    headers = [(b"authorization", token), (b"host", host)]
    assert bodies.limit_for(headers, b"", LIMITS, port=port) == limit


def test_without_a_token_nothing_opens_it():
    assert bodies.limit_for([(b"host", b"own.example.com")], b"", LIMITS, port=5105) == 100


def test_a_server_without_a_picture_keeps_to_the_small_limit():
    reload.install(None)
    headers = [(b"authorization", b"Bearer gsk_anything"), (b"host", b"own.example.com")]
    assert bodies.limit_for(headers, b"", LIMITS, port=5105) == 100
