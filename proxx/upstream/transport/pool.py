"""The unused connections of one event loop, per origin; the last one used is the first one taken."""

from proxx.upstream.transport.connection import Connection, Origin

IDLE_PER_ORIGIN = 128
IDLE_TOTAL = 256  # well below the usual limit of 1,024 open files


class Pool:
    """Keeps connections between exchanges and knows all that are open. Each expires by its own timer."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[Connection]] = {}
        self._by_age: dict[Connection, None] = {}  # oldest first
        self._open: set[Connection] = set()
        self._closed = False

    def __len__(self) -> int:
        """Return the number of open connections, used or not."""
        return len(self._open)

    @property
    def idle(self) -> int:
        """Return the number of unused connections."""
        return len(self._by_age)

    def take(self, origin: Origin) -> Connection | None:
        """Take an unused connection out, if there is one."""
        stack = self._idle.get(origin)
        while stack:
            connection = stack.pop()
            del self._by_age[connection]
            if connection.usable:
                return connection
        return None

    def add(self, connection: Connection) -> None:
        """Take note of a new connection, which is in use."""
        self._open.add(connection)

    def put(self, connection: Connection) -> bool:
        """Keep a connection for the next exchange; False if there is no room for it."""
        if self._closed:
            return False
        stack = self._idle.setdefault(connection.origin, [])
        if len(stack) >= IDLE_PER_ORIGIN:
            return False
        if len(self._by_age) >= IDLE_TOTAL:
            next(iter(self._by_age)).drop()  # the oldest makes room
        stack.append(connection)
        self._by_age[connection] = None
        return True

    def forget(self, connection: Connection) -> None:
        """Strike out a connection that is closed."""
        self._open.discard(connection)
        if connection in self._by_age:
            del self._by_age[connection]
            stack = self._idle[connection.origin]
            stack.remove(connection)
            if not stack:
                del self._idle[connection.origin]

    def close(self) -> None:
        """Close every connection, used or not, and keep none from now on."""
        self._closed = True
        for connection in list(self._open):
            connection.drop()
