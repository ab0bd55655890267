"""Responses kept for clients that refer to them later (`previous_response_id`), where the provider keeps nothing.

Each is sealed, belongs to one key, and lives PROXY_RESPONSES_KEPT_SECONDS from its last use: in Redis where there is
one, so that all processes know it, else in this process, within PROXY_RESPONSES_KEPT_BYTES. A response holds its own
input only and the id of the one before, so a long conversation is kept once. Nothing here is a promise: what is gone
reads as unknown, and clients then send everything again. All work is done on threads of its own.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from accounts.keys import KeyHolder
from proxx.kit import clock, sealing, shared_state
from proxx.kit.configured import settings
from proxx.protocols.framing.lenient import FAULTS, decode

T = TypeVar("T")

ENTRIES_AT_MOST = 20_000  # of one process
SHARE = 8  # one response may fill this part of the room
LONGEST_CHAIN = 2_000
LONGEST_ID = 200

_threads = ThreadPoolExecutor(2, thread_name_prefix="kept-responses")


class Kept(msgspec.Struct):
    """One response: the id of the one it followed, its own input items, and its resource as the client got it."""

    id: str
    previous: str
    input: list[msgspec.Raw]
    resource: msgspec.Raw
    ends: float = 0.0  # unix seconds


class _Output(msgspec.Struct):
    output: list[msgspec.Raw]


class _Item(msgspec.Struct):
    id: str | None = None


_kept = msgspec.json.Decoder(Kept)
_output = msgspec.json.Decoder(_Output)
_item = msgspec.json.Decoder(_Item)


class _Room:
    """Sealed texts of this process by name, the last used last; the first give way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._size = 0

    def get(self, name: str) -> bytes | None:
        with self._lock:
            ends, text = self._texts.get(name, (0.0, b""))
            if ends <= clock.unix():
                return None
            self._texts.move_to_end(name)
            return text

    def put(self, name: str, text: bytes, seconds: float) -> None:
        with self._lock:
            self._drop(name)
            self._texts[name] = (clock.unix() + seconds, text)
            self._size += len(text)
            while self._size > settings.PROXY_RESPONSES_KEPT_BYTES or len(self._texts) > ENTRIES_AT_MOST:
                self._drop(next(iter(self._texts)))

    def forget(self, name: str) -> None:
        with self._lock:
            self._drop(name)

    def _drop(self, name: str) -> None:
        _, text = self._texts.pop(name, (0.0, b""))
        self._size -= len(text)


_room = _Room()


def owner_of(holder: KeyHolder) -> str:
    """Return whose a response is: a tenant's key, or what stands in a key's place."""
    return f"{holder.tenant_id}:{holder.key_id or holder.kind}{holder.mark}"


def items_of(resource: bytes) -> list[msgspec.Raw]:
    """Return the output items of a resource."""
    return decode(_output, resource).output


async def keep(owner: str, kept: Kept) -> None:
    """Keep a response; one that is too large, or that cannot be kept now, is as if it had never been."""
    await _aside(lambda: _keep(owner, kept))


async def find(owner: str, id: str) -> Kept | None:
    """Return a response of this owner."""
    return await _aside(lambda: _find(owner, id))


async def forget(owner: str, id: str) -> None:
    """Forget a response; what followed it can no longer be followed itself."""
    await _aside(lambda: _forget(_name(owner, id)))


async def history(owner: str, id: str) -> list[msgspec.Raw] | None:
    """Return all items up to and with a response, oldest first; None if any of it is gone."""
    return await _aside(lambda: _history(owner, id))


async def items(owner: str, ids: Iterable[str]) -> dict[str, msgspec.Raw]:
    """Return output items of kept responses by their own ids, as far as they are here."""
    return await _aside(lambda: _find_items(owner, ids))


async def _aside(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)


def _keep(owner: str, kept: Kept) -> None:
    _put(owner, kept)
    for raw in items_of(bytes(kept.resource)):
        id = _id_of(raw)
        if id and _maker(id) != kept.id:  # the provider's own id: it does not say whose response it is part of
            _write(_name(owner, id), _sealed(kept.id, _name(owner, id)))


def _put(owner: str, kept: Kept) -> None:
    kept.ends = clock.unix() + settings.PROXY_RESPONSES_KEPT_SECONDS
    name = _name(owner, kept.id)
    _write(name, _sealed(msgspec.json.encode(kept).decode(errors="replace"), name))


def _find(owner: str, id: str) -> Kept | None:
    found = _opened(_name(owner, id)) if 0 < len(id) <= LONGEST_ID else ""
    try:
        kept = decode(_kept, found.encode()) if found else None
    except FAULTS:
        return None
    if kept is not None and kept.ends - clock.unix() < settings.PROXY_RESPONSES_KEPT_SECONDS / 2:
        _put(owner, kept)
    return kept


def _history(owner: str, id: str) -> list[msgspec.Raw] | None:
    chain: list[Kept] = []
    while id and len(chain) < LONGEST_CHAIN:
        kept = _find(owner, id)
        if kept is None:
            return None
        chain.append(kept)
        id = kept.previous
    if id:
        return None
    return [item for kept in reversed(chain) for item in (*kept.input, *items_of(bytes(kept.resource)))]


def _find_items(owner: str, ids: Iterable[str]) -> dict[str, msgspec.Raw]:
    found: dict[str, msgspec.Raw] = {}
    for id in ids:
        if id in found or not 0 < len(id) <= LONGEST_ID:
            continue
        kept = _find(owner, _maker(id)) or _find(owner, _opened(_name(owner, id)))
        if kept is not None:
            found |= {_id_of(raw): raw for raw in items_of(bytes(kept.resource))}
    return found


def _maker(item_id: str) -> str:
    """Return the response that an item of ours is part of: it stands in the item's id, before its place."""
    made = item_id.rpartition("_")[2]
    return f"resp_{made[:32]}" if len(made) == 36 else ""


def _id_of(raw: msgspec.Raw) -> str:
    try:
        return decode(_item, bytes(raw)).id or ""
    except FAULTS:
        return ""


def _name(owner: str, id: str) -> str:
    return f"response:{owner}:{id}"


def _sealed(plain: str, name: str) -> bytes:
    return sealing.seal(plain, context=name).encode()


def _opened(name: str) -> str:
    found = shared_state.get(name) if settings.REDIS_URL else _room.get(name)
    try:
        return sealing.unseal(found.decode(), context=name) if found else ""
    except (sealing.SealBroken, UnicodeDecodeError):
        return ""


def _write(name: str, sealed: bytes) -> None:
    if len(sealed) > settings.PROXY_RESPONSES_KEPT_BYTES // SHARE:
        return
    if settings.REDIS_URL:
        shared_state.put(name, sealed, seconds=settings.PROXY_RESPONSES_KEPT_SECONDS)
    else:
        _room.put(name, sealed, settings.PROXY_RESPONSES_KEPT_SECONDS)


def _forget(name: str) -> None:
    if settings.REDIS_URL:
        shared_state.forget(name)
    else:
        _room.forget(name)
