"""State and messages shared by processes: Redis when REDIS_URL is set, a dictionary of this process otherwise.

Six verbs, all for worker threads, never for the event loop: get, put, forget, count, publish, listen. Nothing here is
a truth: a Redis that does not answer within 250 ms counts as away, reads find nothing, writes are lost, and for a few
seconds it is not even asked. Who needs certainty asks the database.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import redis
from django.conf import settings

from proxx.kit import clock, metrics

PATIENCE = 0.25  # seconds a caller can lose to a Redis that is away
BREAK = 5.0  # seconds in which a Redis that failed is not asked again
ENTRIES_AT_MOST = 100_000  # in the dictionary
SENDER = os.urandom(8)  # tells our own messages from those of other processes


class _Local:
    """The dictionary: values with an end, and listeners of this process."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[bytes, float]] = {}
        self._listeners: dict[str, set[Listening]] = defaultdict(set)
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        value, ends = self._values.get(name, (None, 0.0))
        return value if ends > clock.monotonic() else None

    def put(self, name: str, value: bytes, seconds: float) -> None:
        with self._lock:
            self._put(name, value, clock.monotonic() + seconds)

    def forget(self, name: str) -> None:
        with self._lock:
            self._values.pop(name, None)

    def count(self, name: str, amount: int, seconds: float) -> int:
        with self._lock:
            now = clock.monotonic()
            value, ends = self._values.get(name, (b"0", 0.0))
            total = amount + (int(value) if ends > now else 0)
            self._put(name, str(total).encode(), ends if ends > now else now + seconds)
            return total

    def publish(self, channel: str, message: bytes) -> None:
        for listening in list(self._listeners[channel]):
            listening.hear(message)

    def join(self, channel: str, listening: "Listening") -> None:
        self._listeners[channel].add(listening)

    def leave(self, channel: str, listening: "Listening") -> None:
        self._listeners[channel].discard(listening)

    def clear(self) -> None:
        with self._lock:
            self._values = {}

    def _put(self, name: str, value: bytes, ends: float) -> None:
        if len(self._values) >= ENTRIES_AT_MOST:
            now = clock.monotonic()
            self._values = {key: held for key, held in self._values.items() if held[1] > now}
        if len(self._values) < ENTRIES_AT_MOST:
            self._values[name] = (value, ends)


class Listening:
    """A subscription that lives in a daemon thread and comes back by itself; `stop` ends it within a moment."""

    def __init__(self, channel: str, heard: Callable[[bytes], None]) -> None:
        self._channel, self._heard = channel, heard
        self._over = threading.Event()
        _local.join(channel, self)
        if settings.REDIS_URL:
            threading.Thread(target=self._listen, name=f"listen-{channel}", daemon=True).start()

    def hear(self, message: bytes) -> None:
        """Hand one message on."""
        self._heard(message)

    def stop(self) -> None:
        """Hear no more."""
        self._over.set()
        _local.leave(self._channel, self)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                for message in _messages(self._channel, self._over):
                    self._heard(message)
            except (redis.RedisError, OSError):
                self._over.wait(BREAK)


_local = _Local()
_clients: dict[str, redis.Redis] = {}
_broken_until = 0.0


def get(name: str) -> bytes | None:
    """Return a value, or nothing: never written, past its end, or Redis is away."""
    if not settings.REDIS_URL:
        return _local.get(name)
    found: bytes | None = ask(lambda client: client.get(name_of(name)))
    return found


def put(name: str, value: bytes, *, seconds: float) -> None:
    """Keep a value for so many seconds."""
    if settings.REDIS_URL:
        ask(lambda client: client.set(name_of(name), value, px=_milliseconds(seconds)))
    else:
        _local.put(name, value, seconds)


def forget(name: str) -> None:
    """Drop a value."""
    if settings.REDIS_URL:
        ask(lambda client: client.delete(name_of(name)))
    else:
        _local.forget(name)


def count(name: str, amount: int = 1, *, seconds: float) -> int | None:
    """Add to a number that lives so many seconds from its first count, and return it; nothing if Redis is away."""
    if not settings.REDIS_URL:
        return _local.count(name, amount, seconds)
    found: int | None = ask(lambda client: _count(client, name_of(name), amount, seconds))
    return found


def publish(channel: str, message: bytes) -> None:
    """Tell every listener of a channel: in this process at once, in the others if Redis is there."""
    _local.publish(channel, message)
    if settings.REDIS_URL:
        ask(lambda client: client.publish(name_of(channel), SENDER + message))


def listen(channel: str, heard: Callable[[bytes], None]) -> Listening:
    """Call `heard` with each message, from another thread; messages sent while Redis was away are lost."""
    return Listening(channel, heard)


def close() -> None:
    """Give back connections and forget what the dictionary holds; the next verb begins anew."""
    global _broken_until
    for client in _clients.values():
        client.close()
    _clients.clear()
    _local.clear()
    _broken_until = 0.0


def ask(question: Callable[[redis.Redis], Any]) -> Any:
    """Ask Redis what no verb says; None if it is away."""
    global _broken_until
    if clock.monotonic() < _broken_until:
        return None
    try:
        return question(_client())
    except (redis.RedisError, OSError):
        _broken_until = clock.monotonic() + BREAK
        metrics.count("proxx_redis_faults")
        return None


def name_of(name: str) -> str:
    """Return what a name is called in Redis, where other installations may have their own beside it."""
    return f"{settings.REDIS_PREFIX}:{name}"


def _client() -> redis.Redis:
    url = settings.REDIS_URL
    if url not in _clients:
        _clients[url] = redis.Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=None, health_check_interval=0
        )
    return _clients[url]


def _count(client: redis.Redis, name: str, amount: int, seconds: float) -> int:
    with client.pipeline(transaction=True) as pipeline:
        pipeline.incrby(name, amount)
        # Only when the number is new: a window ends when it ends, however often it is counted.
        pipeline.pexpire(name, _milliseconds(seconds), nx=True)
        return int(pipeline.execute()[0])


def _messages(channel: str, over: threading.Event) -> Iterator[bytes]:
    subscription = _client().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    with subscription:
        subscription.subscribe(name_of(channel))
        while not over.is_set():
            try:
                message = subscription.get_message(timeout=PATIENCE)
            except (ValueError, AttributeError, TypeError):  # `close` took the connection away while we read from it
                raise redis.ConnectionError("closed") from None
            # Our own were handed on when they were published.
            if message is not None and not message["data"].startswith(SENDER):
                yield message["data"][len(SENDER) :]


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
