"""A provider from hell: its errors repeat everything it was sent, headers and body, in prose and in streams."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STATUSES = {"say-400": 400, "say-401": 401, "say-403": 403, "say-404": 404, "say-429": 429, "say-500": 500}
IN_BAND = ("say-inside", "say-in-stream")
MODELS = (*STATUSES, *IN_BAND)


class Gossip(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """List the models."""
        self._answer(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})

    def do_POST(self) -> None:
        """Repeat what came."""
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        headers = "; ".join(f"{name}: {value}" for name, value in self.headers.items())
        key = self.headers.get("authorization", "").removeprefix("Bearer ")
        said = f"Your key {key} is odd. You sent {self.path} with {headers}"
        error = {"error": {"message": said, "type": "invalid_request_error", "code": "odd", "param": None}}
        model = json.loads(body)["model"]
        if model == "say-in-stream":
            first = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "x"}}]}
            frames = "".join(f"data: {json.dumps(frame)}\n\n" for frame in (first, error))
            self._send(200, frames.encode(), "text/event-stream")
        else:
            self._answer(STATUSES.get(model, 200), error)

    def _answer(self, status: int, body: object) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


@contextmanager
def gossip() -> Iterator[str]:
    """Run it for a `with` block; give its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gossip)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="gossip")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
