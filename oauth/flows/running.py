"""How a page or a command asks a provider: on a loop of its own, which closes what it opened. Never on a server's."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from proxx.upstream import client

T = TypeVar("T")


def run(question: Coroutine[Any, Any, T]) -> T:
    """Return what a question brings; blocking."""
    return asyncio.run(_run(question))


async def _run(question: Coroutine[Any, Any, T]) -> T:
    try:
        return await question
    finally:
        await client.close_all()
