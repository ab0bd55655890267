"""The store of responses: its room, its time, its seals, and its sharing between processes."""

import json
import os
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from uuid import UUID

import msgspec
import pytest

from accounts.keys import KeyHolder
from proxx.gateway import kept, recall
from proxx.kit import clock as clocks
from proxx.kit import shared_state

OWNER = "tenant:key"


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_room", kept._Room())


def response(number: int, *, previous: int | None = None, text: str = "said") -> kept.Kept:
    resource = {"id": name(number), "output": [{"type": "message", "id": f"msg_{number:032x}0000", "text": text}]}
    asked = [msgspec.Raw(json.dumps({"type": "message", "content": f"asked {number}"}).encode())]
    before = "" if previous is None else name(previous)
    return kept.Kept(name(number), before, asked, msgspec.Raw(json.dumps(resource).encode()))


def name(number: int) -> str:
    return f"resp_{number:032x}"


def holder(**different: object) -> KeyHolder:
    known = {"key_id": None, "tenant_id": UUID(int=1), "tenant": "t", "label": "", "scopes": frozenset()}
    return KeyHolder(**{**known, "expires_at": None, "kind": "admin", **different})  # type: ignore[arg-type]


async def test_a_chain_is_told_from_its_beginning() -> None:
    await kept.keep(OWNER, response(1))
    await kept.keep(OWNER, response(2, previous=1))
    items = [json.loads(bytes(raw)) for raw in await kept.history(OWNER, name(2)) or []]
    assert [item.get("content") or item["id"][-6:] for item in items] == ["asked 1", "010000", "asked 2", "020000"]


async def test_a_chain_with_a_link_gone_is_unknown() -> None:
    await kept.keep(OWNER, response(1))
    await kept.keep(OWNER, response(2, previous=1))
    await kept.forget(OWNER, name(1))
    assert await kept.find(OWNER, name(2)) is not None
    assert await kept.history(OWNER, name(2)) is None


async def test_a_chain_that_bites_its_tail_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LONGEST_CHAIN", 10)
    await kept.keep(OWNER, response(1, previous=1))
    assert await kept.history(OWNER, name(1)) is None


async def test_nobody_else_finds_it() -> None:
    await kept.keep(OWNER, response(1))
    assert await kept.find("tenant:other", name(1)) is None
    assert await kept.items("tenant:other", [f"msg_{1:032x}0000"]) == {}


def test_each_key_is_an_owner_of_its_own() -> None:
    different = ({}, {"kind": "open"}, {"key_id": UUID(int=2)}, {"tenant_id": UUID(int=3)})
    own = ({"kind": "own", "mark": "one"}, {"kind": "own", "mark": "two"})
    owners = {kept.owner_of(holder(**one)) for one in (*different, *own)}
    assert len(owners) == 6


async def test_what_lies_in_the_room_is_sealed() -> None:
    await kept.keep(OWNER, response(1, text="a secret word"))
    texts = [text for _, text in kept._room._texts.values()]
    assert texts
    assert not any(b"secret" in text for text in texts)


async def test_a_response_moved_to_another_name_does_not_open() -> None:
    await kept.keep(OWNER, response(1))
    texts = kept._room._texts
    texts[kept._name(OWNER, name(2))] = texts[kept._name(OWNER, name(1))]
    assert await kept.find(OWNER, name(2)) is None


async def test_time_ends_it_and_use_prolongs_it(settings: pytest.FixtureRequest, clock: clocks.Stopped) -> None:
    settings.PROXY_RESPONSES_KEPT_SECONDS = 100
    await kept.keep(OWNER, response(1))
    await kept.keep(OWNER, response(2))
    clock.advance(60)
    assert await kept.find(OWNER, name(1)) is not None
    clock.advance(60)
    assert await kept.find(OWNER, name(1)) is not None
    assert await kept.find(OWNER, name(2)) is None


async def test_the_room_is_bounded_and_the_least_used_gives_way(settings: pytest.FixtureRequest) -> None:
    settings.PROXY_RESPONSES_KEPT_BYTES = 100_000
    for number in range(1, 30):
        await kept.keep(OWNER, response(number, text="x" * 5000))
        await kept.find(OWNER, name(1))
    assert kept._room._size <= 100_000
    assert await kept.find(OWNER, name(1)) is not None
    assert await kept.find(OWNER, name(2)) is None
    assert await kept.find(OWNER, name(29)) is not None


async def test_one_that_would_fill_the_room_is_not_kept(settings: pytest.FixtureRequest) -> None:
    settings.PROXY_RESPONSES_KEPT_BYTES = 100_000
    await kept.keep(OWNER, response(1, text="x" * 20_000))
    assert await kept.find(OWNER, name(1)) is None


async def test_items_with_ids_of_their_maker_are_found_too() -> None:
    made = response(1)
    made.resource = msgspec.Raw(b'{"id":"r","output":[{"id":"msg_upstream","type":"message"}]}')
    await kept.keep(OWNER, made)
    assert list(await kept.items(OWNER, ["msg_upstream", "msg_no", "x" * 1000, ""])) == ["msg_upstream"]


async def test_a_stream_is_kept_before_its_end_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    call = SimpleNamespace(outcome="cancelled", whole=lambda: b"{}")
    happened: list[object] = []

    async def keep(one: SimpleNamespace) -> None:
        happened.append("kept")
        one.whole = None

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b"words"
        call.outcome = "ok"
        yield b"end"
        yield b"after"

    monkeypatch.setattr(recall, "keep", keep)
    async for piece in recall.keeping(call, pieces()):  # type: ignore[arg-type]
        happened.append(piece)
    assert happened == [b"words", "kept", b"end", b"after"]


@pytest.mark.real
async def test_processes_with_redis_share_them(settings: pytest.FixtureRequest) -> None:
    settings.REDIS_URL = os.environ["REDIS_URL_TEST"]
    try:
        await kept.keep(OWNER, response(77))
        kept._room = kept._Room()
        assert await kept.history(OWNER, name(77)) is not None
        assert b"asked" not in (shared_state.get(kept._name(OWNER, name(77))) or b"asked")
        await kept.forget(OWNER, name(77))
        assert await kept.find(OWNER, name(77)) is None
    finally:
        shared_state.close()
