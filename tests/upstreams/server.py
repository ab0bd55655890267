"""The simulated provider: one port, every registered dialect. It knows connections, faults and the journal.

In a test (any thread, own event loop inside):

    with simulated_provider() as provider:
        provider.script(say("Hello"), model="gpt-x")
        ...                                  # a client asks provider.base_url
        assert provider.journal.last.header("authorization") == "Bearer sk-sim-1"

On a running loop: `async with SimulatedProvider() as provider`. By itself: `python -m tests.upstreams`. Dialects are
named once, in DIALECT_MODULES; control.py serves `/sim/...`.
"""

import asyncio
import importlib
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from tests.upstreams import control, model_names, play
from tests.upstreams.answer import Answer, Refused
from tests.upstreams.connection import Arrival, Connection
from tests.upstreams.dialect import DIALECTS, Ask, Dialect, Endpoint, Page, World
from tests.upstreams.journal import Entry, Journal
from tests.upstreams.refusals import invalid, openai, refusal
from tests.upstreams.script import FOREVER, Rule, Script, Scripts, Step

DIALECT_MODULES = (
    "tests.upstreams.openai_chat",
    "tests.upstreams.anthropic",
    "tests.upstreams.gemini",
    "tests.upstreams.responses",
    "tests.upstreams.responses_codex",
    "tests.upstreams.ollama",
    "tests.upstreams.openai_media",
    "tests.upstreams.openai_media_completions",
)

for _name in DIALECT_MODULES:
    importlib.import_module(_name)


class SimulatedProvider:
    """A provider on a port of its own."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, models: tuple[str, ...] = ()) -> None:
        self.host, self.port = host, port
        self.journal = Journal()
        self.scripts = Scripts()
        self.world = World(models=[*model_names.LISTED, *models])
        self._connections: set[Connection] = set()
        self._made = 0
        self._server: asyncio.Server | None = None

    # Where it is.

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        return f"http://{self.host}:{self.port}"

    @property
    def base_url(self) -> str:
        """Return the base URL of OpenAI clients; Anthropic's and Ollama's want the origin, Google's gemini_url."""
        return f"{self.origin}/v1"

    @property
    def gemini_url(self) -> str:
        """Return the base URL of Gemini with its version."""
        return f"{self.origin}/v1beta"

    @property
    def open_connections(self) -> int:
        """Return how many clients are connected now."""
        return len(self._connections)

    @property
    def connections_made(self) -> int:
        """Return how many clients have connected since the start."""
        return self._made

    # What it shall say.

    def script(
        self,
        *steps: Step,
        model: str = "",
        key: str = "",
        text: str = "",
        times: float = 1,
        fault: str = "",
        retry_after: float | None = None,
        pace: float = 0.0,
    ) -> None:
        """Answer the next matching requests with these steps; `times=FOREVER` for all of them."""
        script = Script(steps, fault, retry_after, pace)
        self.scripts.rules.append(Rule(script, model=model, key=key, text=text, times=times))

    def always(self, *steps: Step, model: str = "", key: str = "", text: str = "", fault: str = "") -> None:
        """Answer every matching request with these steps until `reset`."""
        self.script(*steps, model=model, key=key, text=text, fault=fault, times=FOREVER)

    def reset(self) -> None:
        """Forget scripts and journal."""
        self.scripts.rules.clear()
        self.journal.clear()

    # Its life.

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, self.host, self.port, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            connection.abort_quietly()
        await self._server.wait_closed()
        await asyncio.gather(*(connection.gone() for connection in list(self._connections)))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _connect(self) -> Connection:
        self._made += 1
        return Connection(self._made, self._answer, self._connections)

    # One request.

    async def _answer(self, arrival: Arrival, connection: Connection) -> None:
        if arrival.path.startswith("/sim/"):
            reply = await control.answer(self, arrival)
            await connection.play(reply, head_only=False, sent=lambda _: None)
            return
        entry = self.journal.open(
            id=f"req_{random.getrandbits(96):024x}",
            connection=connection.number,
            method=arrival.method,
            path=arrival.path,
            query=arrival.query,
            headers=arrival.headers,
            body=arrival.body,
        )
        try:
            reply = self._reply(arrival, entry)
            if entry.dialect:
                reply = reply.with_header(DIALECTS[entry.dialect].id_header, entry.id)
            entry.status, entry.answer_headers = reply.status, list(reply.headers)
            whole = await connection.play(reply, head_only=arrival.method == "HEAD", sent=entry.sent)
            entry.end("complete" if whole else "cut")
        except asyncio.CancelledError:
            entry.end("client_gone")
            raise
        finally:
            entry.end("cut")

    def _reply(self, arrival: Arrival, entry: Entry) -> Answer:
        try:
            return self._good_reply(arrival, entry)
        except Refused as refused:
            return play.refused(refused.refusal, entry.id)
        except (TypeError, ValueError, AttributeError, LookupError, RecursionError) as fault:
            # No check has a word for it, or a schema is none: the request's fault all the same, as at the real ones.
            said = f"This request has a form that is not known here ({type(fault).__name__}: {fault})."
            return play.refused(invalid(said), entry.id)

    def _good_reply(self, arrival: Arrival, entry: Entry) -> Answer:
        for dialect, page in _pages():
            if page.method in (arrival.method, "*") and page.path.fullmatch(arrival.path):
                if page.only_if is not None and not page.only_if(arrival):
                    continue
                entry.dialect = dialect.name
                if not page.open_to_all:
                    self._admit(arrival, dialect)
                return page.answer(arrival, self.world).with_header("x-request-id", entry.id)
        for dialect in DIALECTS.values():
            for endpoint in dialect.endpoints:
                if endpoint.path.fullmatch(arrival.path):
                    entry.dialect = dialect.name
                    if endpoint.method != arrival.method:
                        raise Refused(refusal("405", manner=dialect.manner))
                    return self._spoken(arrival, entry, dialect, endpoint)
        text = f"Invalid URL ({arrival.method} {arrival.path})"
        raise Refused(openai(404, text, "invalid_request_error", None))

    def _admit(self, arrival: Arrival, dialect: Dialect) -> str:
        key = dialect.key(arrival) or ""
        if not self.world.takes(key):
            raise Refused(refusal(dialect.bad_key if key else dialect.no_key, manner=dialect.manner))
        return key

    def _spoken(self, arrival: Arrival, entry: Entry, dialect: Dialect, endpoint: Endpoint) -> Answer:
        key = self._admit(arrival, dialect)
        ask = endpoint.read(arrival, self.world)
        entry.model, entry.wishes = ask.model, ask.wishes
        script = self._script_for(ask, key)
        if script is None:
            raise Refused(refusal("404", manner=dialect.manner))
        try:
            return play.answer(ask, script, endpoint.speaker(ask), dialect, entry.id)
        except KeyError as error:
            raise Refused(invalid(f"The script names a fault that nobody knows: {error}.")) from None

    def _script_for(self, ask: Ask, key: str) -> Script | None:
        scripted = self.scripts.take(model=ask.model, key=key, text=ask.text)
        if scripted is not None:
            return scripted
        fault, rest = model_names.fault_of_key(key)
        if fault:
            return Script((*model_names.script_of_listed(ask).steps,), fault=fault, retry_after=rest)
        return model_names.script_of(ask) or (
            model_names.script_of_listed(ask) if ask.model in self.world.models else None
        )


def _pages() -> list[tuple[Dialect, Page]]:
    pages = [(dialect, page) for dialect in DIALECTS.values() for page in dialect.pages]
    return sorted(pages, key=lambda pair: pair[1].only_if is None)


@contextmanager
def simulated_provider(*, port: int = 0, models: tuple[str, ...] = ()) -> Iterator[SimulatedProvider]:
    """Run a provider in a thread of its own for a `with` block; scripts and journal are used from outside."""
    provider = SimulatedProvider(port=port, models=models)
    ready = threading.Event()
    faults: list[BaseException] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def life() -> None:
        async with provider:
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(life())
        except BaseException as error:
            faults.append(error)
            ready.set()

    thread = threading.Thread(target=run, name="simulated-provider", daemon=True)
    thread.start()
    ready.wait(10)
    if faults:
        raise faults[0]
    try:
        yield provider
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
    if faults:
        raise faults[0]


def closed_port() -> int:
    """Return a port on which nobody listens: a connection to it is refused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
