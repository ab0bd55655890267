"""A provider of all dialects whose answers are spoiled: each request says by a number in its text in which way.

The sound answers come from the simulated provider, asked once for each. A request without a number gets one of them.
"""

import http.client
import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.clients.asking import CLIENTS
from tests.clients.talk import Talk, Tool
from tests.protocols.matrix.cell import MODELS
from tests.protocols.spoiled import spoiled
from tests.upstreams.script import Step, call_tool, cite, finish, refuse, report_usage, say, search, think
from tests.upstreams.server import SimulatedProvider

SCRIPTS: tuple[tuple[Step, ...], ...] = (
    (
        think("Hm, let me see."),
        say("Hello there, 🙂 friend.", pieces=4),
        call_tool("weather", {"city": "Oslo", "days": [1, 2]}),
        call_tool("weather", {"city": "Rome"}),
        report_usage(input=11, output=7),
    ),
    (say("Hi there.", pieces=2), report_usage(input=3, output=2)),
    (search("news", [("https://a.example", "A")]), say("It is so."), cite("https://a.example", "A"), finish("length")),
    (refuse("No."),),
)
TYPES = {"ollama": "application/x-ndjson"}
KEYS = {"authorization": "Bearer sk-sim-1", "x-api-key": "sk-sim-1", "x-goog-api-key": "sk-sim-1"}
_PATHS = {
    "/chat/completions": "openai_chat",
    "/responses": "openai_responses",
    "/messages": "anthropic",
    "/api/chat": "ollama",
    ":generateContent": "gemini",
    ":streamGenerateContent": "gemini",
}
_NUMBER = re.compile(rb"number (\d+)")

Sound = dict[tuple[str, bool], list[bytes]]


def sound_answers(provider: SimulatedProvider) -> Sound:
    """Return answers of every dialect, whole and streamed."""
    found: Sound = {}
    for dialect, module in CLIENTS.items():
        for stream in (False, True):
            talk = Talk(model=MODELS[dialect], stream=stream, tools=(Tool(),), effort="low", limit=4000)
            for steps in SCRIPTS:
                provider.script(*steps, model=MODELS[dialect])
                connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=10)
                sent = {**KEYS, "content-type": "application/json", **getattr(module, "HEADERS", {})}
                connection.request("POST", module.path(talk), json.dumps(module.body(talk)), sent)
                answer = connection.getresponse()
                said = answer.read()
                connection.close()
                assert answer.status == 200, said
                found.setdefault((dialect, stream), []).append(said)
    return found


def spoiled_answer(sound: Sound, dialect: str, number: int, *, stream: bool) -> bytes:
    """Return the answer to the request of this number: always the same."""
    chance = random.Random(f"{dialect}-{stream}-{number}")
    return spoiled(chance.choice(sound[dialect, stream]), chance)


@contextmanager
def spoiling_provider(sound: Sound) -> Iterator[str]:
    """Run such a provider for a `with` block; return its origin."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            path = self.path.partition("?")[0]
            dialect = next(name for end, name in _PATHS.items() if path.endswith(end))
            stream = "stream" in path if dialect == "gemini" else bool(json.loads(body).get("stream"))
            found = _NUMBER.search(body)
            said = sound[dialect, stream][1]
            if found:
                said = spoiled_answer(sound, dialect, int(found[1]), stream=stream)
            kind = TYPES.get(dialect, "text/event-stream") if stream else "application/json"
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
