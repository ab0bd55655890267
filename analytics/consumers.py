"""Live traffic for operators: a socket that says "there is something new"; the page then asks for its numbers.

It carries no record, so it has nothing to hide from an operator whose rights changed meanwhile; still it is closed
after a while, and the page's next one is judged anew. Only a page of this very origin may open it.
"""

import asyncio
import contextlib
from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from analytics.live import GROUP
from proxx.kit import fastjson

PATH = "/console/live/traffic"
LIFE = 600.0  # seconds
FORBIDDEN = 4403
ENDED = 4000


class TrafficConsumer(AsyncWebsocketConsumer):
    """One operator's page, watching."""

    _end: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        """Let in an operator who may see the request log, from our own pages; nobody else."""
        if not from_own_page(self.scope) or not await _may_watch(self.scope.get("user")):
            await self.close(FORBIDDEN)
            return
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()
        self._end = asyncio.create_task(self._end_later(), name="analytics.traffic_socket")

    async def disconnect(self, code: int) -> None:
        """Stop watching."""
        if self._end is not None:
            self._end.cancel()
        with contextlib.suppress(Exception):  # a layer that is away forgets us by itself
            await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Listen to nothing: the page has nothing to say."""

    async def traffic_batch(self, message: dict[str, Any]) -> None:
        """Pass on that a batch was stored."""
        await self.send(fastjson.dumps({"count": message["count"]}).decode())

    async def _end_later(self) -> None:
        await asyncio.sleep(LIFE)
        await self.close(ENDED)


def from_own_page(scope: dict[str, Any]) -> bool:
    """Tell whether the socket was opened by a page of the host it talks to (or of a configured public address)."""
    headers = dict(scope.get("headers", ()))
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1"))
    if not origin.netloc or origin.scheme not in {"http", "https"}:
        return False
    if origin.netloc == headers.get(b"host", b"").decode("latin-1"):
        return True
    return f"{origin.scheme}://{origin.netloc}" in {settings.PUBLIC_URL, *settings.CSRF_TRUSTED_ORIGINS}


@database_sync_to_async
def _may_watch(user: Any) -> bool:
    return bool(user and user.is_active and user.is_staff and user.has_perm("analytics.view_requestlog"))


# With the console's session, for proxx/asgi.py.
traffic_socket = AuthMiddlewareStack(TrafficConsumer.as_asgi())
