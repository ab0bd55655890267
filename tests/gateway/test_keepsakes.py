"""Blobs of tool calls are kept for their own tenant, for a time, within a limit."""

from uuid import uuid4

import pytest

from proxx.gateway import keepsakes
from proxx.protocols.hub.parts import Blob, ToolCall, Turn
from proxx.protocols.hub.request import Request


def asking(*calls: ToolCall) -> Request:
    return Request(dialect="ollama", model="m", turns=(Turn("assistant", calls),))


def blob(value: str = "sig") -> Blob:
    return Blob("thought", value, "gemini", "gemini")


@pytest.fixture(autouse=True)
def nothing_kept():
    keepsakes._kept.clear()
    keepsakes._size = 0


def test_a_call_that_comes_back_bare_gets_its_blob_again():
    tenant = uuid4()
    keepsakes.keep(tenant, {"call_1": blob()})
    assert keepsakes.restored(tenant, asking(ToolCall("call_1", "f", "{}"))) == {"call_1": blob()}


def test_a_call_that_brings_its_blob_needs_none():
    tenant = uuid4()
    keepsakes.keep(tenant, {"call_1": blob()})
    assert keepsakes.restored(tenant, asking(ToolCall("call_1", "f", "{}", blob=blob("own")))) == {}


def test_no_tenant_gets_anothers_blob():
    keepsakes.keep(uuid4(), {"call_1": blob()})
    assert keepsakes.restored(uuid4(), asking(ToolCall("call_1", "f", "{}"))) == {}


def test_what_is_kept_ends_after_its_time(clock):
    tenant = uuid4()
    keepsakes.keep(tenant, {"call_1": blob()})
    clock.advance(keepsakes.SECONDS + 1)
    assert keepsakes.restored(tenant, asking(ToolCall("call_1", "f", "{}"))) == {}


def test_the_oldest_give_way_when_there_is_no_room(monkeypatch):
    monkeypatch.setattr(keepsakes, "ROOM", 100)
    tenant = uuid4()
    for number in range(10):
        keepsakes.keep(tenant, {f"call_{number}": blob("x" * 30)})
    kept = keepsakes.restored(tenant, asking(*(ToolCall(f"call_{number}", "f", "{}") for number in range(10))))
    assert list(kept) == ["call_7", "call_8", "call_9"]
    assert keepsakes._size == 90


def test_the_same_call_told_twice_takes_its_place_once():
    tenant = uuid4()
    keepsakes.keep(tenant, {"call_1": blob("a" * 10)})
    keepsakes.keep(tenant, {"call_1": blob("b" * 10)})
    assert keepsakes._size == 10
