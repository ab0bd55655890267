"""Whose limits the headers of an answer tell."""

from types import SimpleNamespace
from typing import Any

import pytest

from proxx.gateway import pump, relay

GIVEN = [(b"x-ratelimit-remaining-tokens", b"9"), (b"anthropic-ratelimit-tokens-remaining", b"9")]
CANDIDATE = SimpleNamespace(provider=SimpleNamespace(id="openai"), credential=None, quirks=frozenset())


def names(*, held: object) -> set[bytes]:
    """Return which of the provider's headers pass on both ways, for a call without a limit per minute."""
    dialect = SimpleNamespace(reply_headers=(b"x-ratelimit-", b"anthropic-ratelimit-"))
    call: Any = SimpleNamespace(id=1, held=held, limit_headers=(), attempts=[], plan=None, wishes=None, warnings=[])
    call.dialect = dialect
    response: Any = SimpleNamespace(raw_headers=GIVEN)
    speaking: Any = SimpleNamespace(route=SimpleNamespace(translates=False), response=response, candidate=CANDIDATE)
    passed = [*pump._headers(call, speaking), *relay._headers(call, CANDIDATE, response)]  # type: ignore[arg-type]
    return {name for name, _ in passed if b"ratelimit" in name}


@pytest.fixture(autouse=True)
def no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in (pump, relay):
        monkeypatch.setattr(room, "repeats_secret", lambda *_: False)


def test_a_call_without_limits_hears_how_its_provider_stands() -> None:
    assert names(held=None) == {name for name, _ in GIVEN}


def test_a_call_under_a_budget_is_not_told_of_an_account_that_is_not_its_own() -> None:
    assert names(held=object()) == set()
