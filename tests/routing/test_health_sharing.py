"""What one process knows of rests reaches the others, and the next start."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from proxx.kit import clock as clocks
from proxx.kit import shared_state
from routing import health, health_sharing
from routing.models import KeptRest


@pytest.fixture(autouse=True)
def told(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Say that there is Redis, and keep what is told instead of sending it."""
    settings.REDIS_URL = "redis://nowhere"
    found: list[bytes] = []
    monkeypatch.setattr(shared_state, "publish", lambda channel, message: found.append(message))
    monkeypatch.setattr(health_sharing, "_tell", lambda: None)
    monkeypatch.setattr(health, "listeners", [health_sharing._note])
    health_sharing.forget()
    yield found
    health_sharing.forget()
    health.forget()


def cross(told: list[bytes], monkeypatch: pytest.MonkeyPatch, *, known: bool = False) -> None:
    """Let another process, which knows nothing yet, take in what this one told."""
    health_sharing._send()
    if not known:
        health.rests.clear()
        health.streaks.clear()
    monkeypatch.setattr(health_sharing, "SENDER", "another")
    for message in told:
        health_sharing.hear(message)
    told.clear()


def rest_of(key: health.Key, model: str = "m") -> health.Rest | None:
    return health.rest_of(key, model, clocks.monotonic())


@pytest.mark.parametrize("model", ["", "m"])
def test_a_rest_is_known_elsewhere_as_long_and_for_the_same_reason(clock, told, monkeypatch, model) -> None:
    one = uuid4()
    health.failed(one, model=model)
    health.rest(one, 60, model=model, kind="rate_limited")
    clock.advance(10)
    cross(told, monkeypatch)
    found = rest_of(one)
    assert found is not None
    assert (found.until - clocks.monotonic(), found.kind, found.is_soft) == (pytest.approx(50), "rate_limited", False)
    assert health.failed(one, model=model).failures == 2
    assert (rest_of(one, "other") is None) == bool(model)


def test_an_open_circuit_is_known_elsewhere_and_closes_everywhere(clock, told, monkeypatch) -> None:
    site = "openai@api.openai.com"
    health.open_circuit(site, model="", kind="connect_failed", seconds=5, longest=60)
    cross(told, monkeypatch)
    found = rest_of(site)
    assert found is not None
    assert found.is_open
    health.good(site)
    assert rest_of(site) is None
    health.rest(site, 5, kind="connect_failed", is_soft=True)
    health.good(site)
    monkeypatch.setattr(health_sharing, "SENDER", "first")
    health_sharing._send()
    health_sharing._hearing = threading.get_ident()
    health.rest(site, 5, kind="connect_failed", is_open=True)
    health_sharing._hearing = 0
    cross(told, monkeypatch, known=True)
    assert rest_of(site) is None


def test_what_is_heard_is_not_told_again(clock, told, monkeypatch) -> None:
    health.rest(uuid4(), 60, kind="auth")
    cross(told, monkeypatch)
    assert health_sharing._outbox == {}


def test_what_an_operator_clears_is_clear_elsewhere_even_if_it_rests_anew(clock, told, monkeypatch) -> None:
    one, other = uuid4(), uuid4()
    for key in (one, other):
        health.rest(key, 600, kind="quota_spent")
    health_sharing._send()
    told.clear()
    health.clear(one)
    health.clear(other)
    health.rest(other, 7, kind="rate_limited")
    health_sharing._send()
    health_sharing._hearing = threading.get_ident()
    for key in (one, other):
        health.rest(key, 600, kind="quota_spent")
    health_sharing._hearing = 0
    cross(told, monkeypatch, known=True)
    assert rest_of(one) is None
    found = rest_of(other)
    assert found is not None
    assert (found.until - clocks.monotonic(), found.kind) == (pytest.approx(7), "rate_limited")


def test_who_starts_is_told_what_the_others_know(clock, told) -> None:
    one = uuid4()
    health_sharing._hearing = threading.get_ident()
    health.rest(one, 60, kind="auth")
    health_sharing._hearing = 0
    health_sharing.hear(msgspec.json.encode(health_sharing._Message("newcomer", is_hello=True)))
    health_sharing._send()
    (message,) = told
    (fact,) = msgspec.json.decode(message, type=health_sharing._Message).facts
    assert (UUID(fact.key), fact.kind) == (one, "auth")


@pytest.mark.parametrize("junk", [b"", b"\xff", b"[]", b'{"sender": 3}', b'{"sender": "x", "facts": [[1]]}'])
def test_words_of_another_version_are_passed_over(junk: bytes) -> None:
    health_sharing.hear(junk)


@pytest.mark.django_db
def test_hard_rests_are_kept_for_the_next_start_and_dropped_when_they_are_over(clock) -> None:
    hard, soft, circuit = uuid4(), uuid4(), "openai@api.openai.com"
    health.failed(hard, model="m")
    health.rest(hard, 600, model="m", kind="quota_spent")
    health.rest(soft, 5, kind="overloaded", is_soft=True)
    health.open_circuit(circuit, model="", kind="connect_failed", seconds=5, longest=60)
    health_sharing.keep()
    assert KeptRest.objects.count() == 2
    health.rests.clear()
    health.streaks.clear()
    clock.advance(60)
    health_sharing.forget()
    health_sharing.load()
    found = rest_of(hard)
    assert found is not None
    assert (found.until - clocks.monotonic(), found.kind) == (pytest.approx(540, abs=0.01), "quota_spent")
    assert rest_of(hard, "other") is None
    assert health.begin_probe(uuid4(), circuit, "m") == ((circuit, ""),)
    assert rest_of(soft) is None
    health.clear(hard)
    health.good(circuit)
    health_sharing.keep()
    assert KeptRest.objects.count() == 0


@pytest.mark.django_db
def test_keeping_again_writes_over_what_was_kept(clock) -> None:
    one = uuid4()
    for seconds in (60, 600):
        health.rest(one, seconds, kind="auth")
        health_sharing.keep()
    (row,) = KeptRest.objects.all()
    assert (row.until - clocks.now()).total_seconds() == pytest.approx(600, abs=0.01)
