"""Live traffic for operators: a socket that says "there is something new"; the page then asks for its numbers.

It carries no record, only how many there are in the operator's own tenants and the ids of the newest. Their rights are
judged anew every few seconds, so that a role that was taken away is gone here too. Only a page of this very origin may
open it.
"""

import asyncio
import contextlib
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from accounts import active_tenant, rights
from accounts.models import Operator
from accounts.rights import Right, Who
from accounts.signin import second_factor, sessions
from analytics.live import GROUP
from proxx.kit import clock, fastjson

PATH = "/console/live/traffic"
LIFE = 600.0  # seconds
JUDGED = 5.0  # seconds for which a judgement holds
FORBIDDEN = 4403
ENDED = 4000


class TrafficConsumer(AsyncWebsocketConsumer):
    """One operator's page, watching."""

    _end: "asyncio.Task[None] | None" = None
    _who = rights.NOBODY
    _judged_at = 0.0

    async def connect(self) -> None:
        """Let in an operator who may see the request log, from our own pages; nobody else."""
        self._user, self._judged_at = self.scope.get("user"), clock.monotonic()
        self._who = await _judge(self._user, self.scope.get("session"))
        if not from_own_page(self.scope) or not self._may_watch():
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
        """Pass on how many calls of the operator's own tenants were stored, if any, and which."""
        if clock.monotonic() - self._judged_at > JUDGED:
            self._judged_at = clock.monotonic()
            self._who = await _judge_anew(self._user, self.scope.get("session"))
            if not self._may_watch():
                await self.close(FORBIDDEN)
                return
        tenants = active_tenant.narrowed(self.scope.get("session") or {}, self._who).tenants(Right.REQUESTS_READ)
        own = {
            tenant: count for tenant, count in message["counts"].items() if tenants is None or UUID(tenant) in tenants
        }
        if own:
            named = [one for tenant in own for one in message.get("ids", {}).get(tenant, ())]
            await self.send(fastjson.dumps({"count": sum(own.values()), "ids": named}).decode())

    def _may_watch(self) -> bool:
        return self._who.may_open(Right.REQUESTS_READ)

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
def _judge(user: Any, session: Any) -> Who:
    return _by_session(user, session)


@database_sync_to_async
def _judge_anew(user: Any, session: Any) -> Who:
    operator = Operator.objects.filter(pk=user.pk).first()
    if operator is None or operator.get_session_auth_hash() != user.get_session_auth_hash():
        return rights.NOBODY
    # As it is stored now: pages note its use there, and it may have been ended.
    return _by_session(operator, None if session is None else sessions.stored(session.session_key))


def _by_session(user: Any, session: Any) -> Who:
    who = rights.of(user)
    if who is rights.NOBODY or session is None:
        return who
    return rights.NOBODY if sessions.is_over(session) or second_factor.is_missing(user, session) else who


# With the console's session, for proxx/asgi.py.
traffic_socket = AuthMiddlewareStack(TrafficConsumer.as_asgi())
