"""An upstream that answers every request with fixed bytes, in any dialect, and remembers what it was asked."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass
class Said:
    """One fixed answer."""

    body: bytes = b"{}"
    status: int = 200
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """One request as it arrived, header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body, parsed."""
        return json.loads(self.body)


class Canned:
    """The upstream; answers are taken in their order, the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[Said] = [Said()]
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def says(self, *answers: Said) -> None:
        """Answer like this from now on, and forget what was asked."""
        self.answers = list(answers)
        self.asked.clear()

    def __enter__(self) -> "Canned":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(canned: "Canned") -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                canned.asked.append(Asked(self.path, headers, body))
                said = canned.answers.pop(0) if len(canned.answers) > 1 else canned.answers[0]
                self.send_response(said.status)
                told = {"content-type": said.kind, "content-length": str(len(said.body)), **said.headers}
                for name, value in told.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def events(*data: object, named: bool = False) -> bytes:
    """Return server-sent events of these objects; `named` puts each one's type before it, texts go as they are."""
    told = []
    for one in data:
        head = f"event: {one['type']}\n" if named and isinstance(one, dict) else ""
        told.append(f"{head}data: {one if isinstance(one, str) else json.dumps(one)}\n\n")
    return "".join(told).encode()
