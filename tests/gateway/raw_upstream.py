"""An upstream that says one fixed thing to everybody, even what no decent server would say."""

import socket
import threading
from types import TracebackType


class RawUpstream:
    """Answers each connection's first request with the given status and body, then closes it."""

    def __init__(self, status: int, body: bytes, *, declared: int | None = None, extra: str = "") -> None:
        length = len(body) if declared is None else declared
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{extra}content-length: {length}\r\n\r\n"
        self._answer = head.encode() + body
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def base_url(self) -> str:
        """Return the base URL that OpenAI clients want."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __enter__(self) -> "RawUpstream":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, _kind: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                received = b""
                while b"\r\n\r\n" not in received and (piece := connection.recv(65536)):
                    received += piece
                connection.sendall(self._answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    """Read the rest, so that closing does not reset what was sent."""
