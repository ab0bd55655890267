"""What is left of a key that was turned away: a figure by its reason, and a record where the key is known."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from accounts import keys
from accounts.keys import KeyHolder
from accounts.models import DEFAULT_TENANT_ID
from analytics import queue
from proxx.api import auth, entrance, refusals
from proxx.gateway.errors import Forbidden, Unauthorized
from proxx.kit import metrics, peer

TOKEN = "pxx_" + "x" * 43


@pytest.fixture(autouse=True)
def records(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is recorded."""
    found: list[Any] = []
    monkeypatch.setattr(queue, "offer", found.append)
    refusals._noted.clear()
    return found


def holder(**said: Any) -> KeyHolder:
    return KeyHolder(uuid4(), DEFAULT_TENANT_ID, "default", "x", frozenset({"proxy:chat"}), None, "key", **said)


def request() -> Any:
    return SimpleNamespace(META={"REMOTE_ADDR": "127.0.0.1"}, path_info="/v1/chat/completions")


async def refused(monkeypatch: pytest.MonkeyPatch, known: KeyHolder, scope: str = "proxy:chat") -> str:
    async def found(_: Any) -> KeyHolder:
        return known

    monkeypatch.setattr(auth, "_holder", found)
    monkeypatch.setattr(entrance, "own_key_holder", lambda _: None)
    with pytest.raises(Forbidden) as error:
        await auth.Policy(scope)(request())
    return str(error.value.facts.code)


@pytest.mark.parametrize("code", ["missing_scope", "address_not_allowed"])
async def test_a_known_key_that_is_refused_leaves_a_record_a_second_and_every_refusal_counts(
    monkeypatch: pytest.MonkeyPatch, records: list[Any], clock: Any, code: str
) -> None:
    before = metrics.value("proxx_keys_refused", reason=code)
    known = holder(origins=(peer.networks(("203.0.113.0/24",)),))
    scope = "proxy:chat" if code == "address_not_allowed" else "proxy:images"
    for _ in range(3):
        assert await refused(monkeypatch, known, scope) == code
    assert metrics.value("proxx_keys_refused", reason=code) == before + 3
    (one,) = records
    assert (one.key_id, one.outcome, one.status, one.error_code) == (known.key_id, "refused", 403, code)
    assert one.client_address == "127.0.0.1"
    clock.advance(2)
    await refused(monkeypatch, known, scope)
    assert len(records) == 2


async def test_an_unknown_key_is_counted_and_nothing_else(monkeypatch: pytest.MonkeyPatch, records: list[Any]) -> None:
    async def nobody(*_: Any, **__: Any) -> None:
        return None

    before = metrics.value("proxx_keys_refused", reason="unknown_key")
    monkeypatch.setattr(keys, "find", nobody)
    monkeypatch.setattr(entrance, "own_key_holder", lambda _: None)
    asking = request()
    asking.META["HTTP_AUTHORIZATION"] = f"Bearer {TOKEN}"
    with pytest.raises(Unauthorized):
        await auth.Policy("proxy:chat")(asking)
    assert metrics.value("proxx_keys_refused", reason="unknown_key") == before + 1
    assert records == []
