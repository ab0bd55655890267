"""How a stream ends that cannot end well."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from proxx.gateway import pump
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.spec import Seen


class Breaking:
    """A watch that holds something back and stumbles over it at the end."""

    def __init__(self) -> None:
        self.seen = Seen(spoke=True)

    def feed(self, piece: bytes) -> bytes:
        return piece

    def close(self) -> bytes:
        raise TypeError("a form that nobody thought of")

    def fail(self, facts: ErrorFacts) -> bytes:
        return facts.kind.encode()


async def pieces() -> AsyncIterator[bytes]:
    yield b"second "


def test_a_fault_of_ours_at_the_very_end_is_told_in_the_stream(caplog: Any) -> None:
    watch = Breaking()
    call: Any = SimpleNamespace(id=1, bytes_out=0)
    speaking: Any = SimpleNamespace(watch=watch, seen=watch.seen, pieces=pieces(), held=b"first ")

    async def heard() -> bytes:
        return b"".join([piece async for piece in pump._watched(call, speaking)])

    assert asyncio.run(heard()) == b"first second internal"
    assert (call.outcome, call.bytes_out) == ("error", len(b"first second internal"))
    assert "broke at the end of its stream" in caplog.text
