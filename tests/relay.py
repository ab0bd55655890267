"""A TCP relay before a database or Redis: a test can cut it off or let it hang without touching the real one."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

PIECE = 65536


class Relay:
    """Passes bytes both ways. `hang` keeps connections but moves nothing; `cut` closes all and refuses new ones."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._flowing = threading.Event()
        self._flowing.set()
        self._refusing = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hang(self) -> None:
        """From now on nothing moves, as behind a stopped process."""
        self._flowing.clear()

    def cut(self) -> None:
        """Close every connection and refuse new ones, as a stopped server does."""
        self._refusing = True
        self._close_all()

    def mend(self) -> None:
        """Work again."""
        self._refusing = False
        self._flowing.set()

    def close(self) -> None:
        """End the relay."""
        self._refusing = True
        self._listener.close()
        self._close_all()
        self._flowing.set()

    def _close_all(self) -> None:
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                caller.close()
                continue
            try:
                target = socket.create_connection(self._target)
            except OSError:
                caller.close()
                continue
            with self._lock:
                self._open |= {caller, target}
            threading.Thread(target=self._pass, args=(caller, target), daemon=True).start()
            threading.Thread(target=self._pass, args=(target, caller), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                self._flowing.wait()
                sink.sendall(piece)
        for connection in (source, sink):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
            with self._lock:
                self._open.discard(connection)


@contextlib.contextmanager
def relayed(url: str) -> Iterator[tuple[Relay, str]]:
    """Put a relay in front of what a URL names; yield it and the URL that leads through it."""
    parts = urlsplit(url)
    relay = Relay(parts.hostname or "127.0.0.1", parts.port or {"postgres": 5432, "redis": 6379}[parts.scheme[:8]])
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    try:
        yield relay, urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{relay.port}"))
    finally:
        relay.close()
