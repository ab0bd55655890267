"""A whole proxx as its users run it: the program `proxx.server` as a process, for tests from outside.

    def test_something(start_proxx):
        proxx = start_proxx(server="uvicorn", env={"PROXY_MAX_ATTEMPTS": "2"})
        answer = proxx.openai().chat.completions.create(model="openai/sim-echo", messages=[...])
        assert proxx.provider.journal.last.header("authorization") == "Bearer sk-sim-1"

Every server has a data folder and a database of its own, knows no `.env`, and takes `proxx.token` as its key. It is
forked from a process that has other people's modules already (forked.py) and runs the whole program from there. Where
the start itself is looked at, `by_command=True` starts it as a shell does: `python -m proxx.server`. So do the tests of
the start (test_live.py, server/test_checks.py), of `make run` and of secrets.
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import forked
from tests.databases import ROOT, Database, Templates
from tests.ports import free_port
from tests.upstreams.server import SimulatedProvider

if TYPE_CHECKING:
    import openai

TOKEN = "test-admin-token-0123456789-0123456789-0123456789"
UPSTREAM_KEY = "sk-sim-1"
READY_WITHIN = 30.0  # generous: two workers start servers on two busy cores
STOP_WITHIN = 40.0
LOOK_EVERY = 0.02

# Fixed secrets that protect nothing. Passed on from outside: only what a process needs to run at all.
SECRETS = {
    "SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789-0123456789",
    "PROXY_TOKEN_PEPPER": "only-for-tests-pepper-0123456789-0123456789",
    "PROXY_ENCRYPTION_KEYS": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "PROXY_AUTH_TOKEN": TOKEN,
}
INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class NotReady(Exception):
    """The server did not answer in time, or ended before it did; carries its log."""


class LiveProxx:
    """A running server, its database and the simulated provider behind it."""

    token = TOKEN

    def __init__(
        self,
        folder: Path,
        database: Database,
        provider: SimulatedProvider,
        server: str,
        env: Mapping[str, str],
        *,
        by_command: bool = False,
    ) -> None:
        self.folder, self.database, self.provider, self.server = folder, database, provider, server
        self.log_path = folder / "server.log"
        self.port = free_port()
        self.environment = {
            **base_environment(folder),
            **database.environment,
            "PROXX_SERVER": server,
            "PROXY_PORT": str(self.port),
            "OPENAI_API_KEY": UPSTREAM_KEY,
            "OPENAI_BASE_URL": provider.base_url,
            "UPSTREAM_PROVIDER_ID": "openai",
            **env,
        }
        self.process: subprocess.Popen[bytes] | forked.Forked | None = None
        self._by_command = by_command
        self.tokens: dict[str, str] = {}  # of keys that a test issued, by what it calls them

    # Where it is.

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """Return the base URL that OpenAI clients want."""
        return f"{self.origin}/v1"

    @property
    def pid(self) -> int:
        """Return the serving process's id."""
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """Return what the server has written so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # Its life.

    def start(self) -> None:
        """Start the server and wait until it answers."""
        deadline = time.monotonic() + READY_WITHIN
        program = ("-m", "proxx.server")
        with self.log_path.open("ab") as log:
            if self._by_command:
                command = [sys.executable, *program]
                self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
            else:
                self.process = forked.start(*program, env=self.environment, output=log)
        while not self.healthy():
            if self.process.poll() is not None:
                raise NotReady(f"The server ended with {self.process.returncode}:\n{self.log}")
            if time.monotonic() > deadline:
                self.kill()
                raise NotReady(f"The server did not answer within {READY_WITHIN} s:\n{self.log}")
            time.sleep(LOOK_EVERY)

    def healthy(self) -> bool:
        """Ask /health once."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return at once."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = STOP_WITHIN) -> int:
        """Wait for the end and return the exit code; raise subprocess.TimeoutExpired."""
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self) -> int:
        """Send SIGTERM, wait, return the exit code."""
        self.ask_to_stop()
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def running(self) -> bool:
        """Say whether the process lives."""
        return self.process is not None and self.process.poll() is None

    # Talking to it.

    def openai(self, **options: Any) -> "openai.OpenAI":
        """Return the official client, without its own retries; close it, or use it in a `with` block."""
        import openai

        settings = {"base_url": self.base_url, "api_key": self.token, "max_retries": 0, "timeout": 30, **options}
        return openai.OpenAI(**settings)

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, timeout: float = 30
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request on a connection of its own; return status, headers in lower case, and the whole body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"authorization": f"Bearer {self.token}", "content-type": "application/json", **(headers or {})}
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return response.status, found, response.read()
        finally:
            connection.close()

    def chat(
        self, model: str = "openai/sim-echo", text: str = "hello", **fields: Any
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask one Chat Completion, raw."""
        messages = [{"role": "user", "content": text}]
        return self.request("POST", "/v1/chat/completions", {"model": model, "messages": messages, **fields})

    def wait_until_served(self, model: str, seconds: float = 10.0) -> None:
        """Ask for a model until the configuration that leads to it has arrived; raise TimeoutError."""
        deadline = time.monotonic() + seconds
        while (answer := self.chat(model))[0] != 200:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{model} is not served: {answer[2]!r}\n{self.log}")
            time.sleep(LOOK_EVERY)

    def wait_until_known(self, token: str, seconds: float = 10.0) -> None:
        """Wait until a key of a new tenant may ask; raise TimeoutError."""
        deadline = time.monotonic() + seconds
        asked = {"model": "openai/sim-say", "messages": [{"role": "user", "content": "x"}]}
        while self.request("POST", "/v1/chat/completions", asked, {"authorization": f"Bearer {token}"})[0] == 403:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The tenant is not known.\n{self.log}")
            time.sleep(LOOK_EVERY)

    # Looking and reaching into it.

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read the server's database (`%s` for parameters)."""
        return self.database.rows(query, parameters)

    def wait_for_rows(self, query: str, count: int, seconds: float = 5.0) -> list[tuple[Any, ...]]:
        """Read until that many rows are there; raise TimeoutError."""
        deadline = time.monotonic() + seconds
        while len(rows := self.rows(query)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(rows)} of {count} rows after {seconds} s: {query}\n{self.log}")
            time.sleep(LOOK_EVERY)
        return rows

    def run(self, code: str) -> Any:
        """Run Python beside the server (same settings, same database) and return what it left in `result`."""
        script = f"import json\nresult = None\n{code}\nprint('\\x1e' + json.dumps(result, default=str))"
        done = forked.run("manage.py", "shell", "--no-imports", "-c", script, env=self.environment)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return json.loads(done.stdout.rpartition("\x1e")[2])

    def manage(self, *arguments: str) -> str:
        """Run one management command with the server's settings and return what it printed."""
        done = forked.run("manage.py", *arguments, env=self.environment)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout


@contextlib.contextmanager
def running(
    folder: Path,
    templates: Templates,
    provider: SimulatedProvider,
    *,
    server: str = "daphne",
    env: Mapping[str, str] | None = None,
    real: bool | None = None,
    by_command: bool = False,
) -> Iterator[LiveProxx]:
    """Run a server for a `with` block; at its end SIGTERM must end it with 0, unless the test ended it itself."""
    folder.mkdir(parents=True, exist_ok=True)
    database = templates.copy(folder, base_environment(folder), real=real)
    proxx = LiveProxx(folder, database, provider, server, env or {}, by_command=by_command)
    try:
        proxx.start()
        yield proxx
        if proxx.running:
            code = proxx.stop()
            assert code == 0, f"The server ended with {code} after SIGTERM:\n{proxx.log}"
    finally:
        if proxx.running:
            proxx.kill()
        database.drop()


def base_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a server that knows nothing of the developer's."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {
        **inherited,
        **SECRETS,
        "DJANGO_SETTINGS_MODULE": "proxx.settings.prod",
        "PROXX_ENV_FILE": os.devnull,
        "PYTHONUNBUFFERED": "1",
        "PROXY_HOST": "127.0.0.1",
        "PROXY_LIST_WATCH": "off",  # tests count what a provider is asked
        "PROXY_SINGLE_RETRY_BASE_MS": "20",
        "PROXY_BREAKER_FAILURES": "0",  # tests let one account fail in many ways, one after another
        "PROXY_DATA_DIR": str(folder),
        "PROXY_KEYS_FILE": os.devnull,
        "PROXY_MODELS_FILE": os.devnull,
    }
