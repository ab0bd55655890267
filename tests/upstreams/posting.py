"""Raw requests to the simulated provider, for its own tests: no client library in between."""

import contextlib
import http.client
import json
from dataclasses import dataclass
from email.message import Message
from typing import Any

from tests.upstreams.server import SimulatedProvider

# One pixel each.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
GIF = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as data."""
        return json.loads(self.body)

    def events(self) -> list[dict[str, Any]]:
        """Return the data of the server-sent events."""
        lines = self.body.replace(b"\r\n", b"\n").split(b"\n")
        return [json.loads(line[6:]) for line in lines if line.startswith(b"data: ")]


def send(provider: SimulatedProvider, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """Send one request; header names with underscores for hyphens."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)) as connection:
        connection.request(method, path, data, {name.replace("_", "-"): value for name, value in headers.items()})
        with connection.getresponse() as response:
            return Reply(response.status, response.headers, response.read())
