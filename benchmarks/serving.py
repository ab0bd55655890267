"""The proxx under measurement: a server process on a core of its own, SQLite in a fresh folder, one client key.

Nothing is switched off: keys are checked, the plan is made, every call is recorded. Celery is not started: it serves
nobody.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import load, machine, upstream

MODEL = "openai/bench"
FAILING_MODEL = "bench"  # asked of Groq first, whose only account fails in every call, then of OpenAI
RESTING_MODEL = "mistral/bench"  # has two accounts, one of which rests from its first call on
DATABASE = "proxx.sqlite3"
READY_WITHIN = 60.0
PADDING = "Please say something that is about as long as this sentence is, and mind the punctuation. "
SECRETS = {
    "SECRET_KEY": "only-for-benchmarks-0123456789-0123456789-0123456789-0123456789",
    "PROXY_TOKEN_PEPPER": "only-for-benchmarks-pepper-0123456789-0123456789",
    "PROXY_ENCRYPTION_KEYS": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "PROXY_AUTH_TOKEN": "only-for-benchmarks-token-0123456789-0123456789",
}
# The names that `--server` takes, and what each means for the server.
SERVERS: dict[str, dict[str, str]] = {
    "daphne": {"PROXX_SERVER": "daphne"},
    "daphne-stock": {"PROXX_SERVER": "daphne", "PROXX_DATA_PLANE": "stock"},
    "uvicorn": {"PROXX_SERVER": "uvicorn"},
    "uvicorn-stock": {"PROXX_SERVER": "uvicorn", "PROXX_DATA_PLANE": "stock"},
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A migrated database and a key that it holds."""

    database: Path
    key: str


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of the process to the first good /health, and to the first answer of a model."""

    healthy: float
    answered: float


@dataclass(frozen=True, slots=True)
class Serving:
    """A running server: where it is, which process, what it takes."""

    name: str
    port: int
    pid: int
    key: str
    start: Start
    folder: Path

    def payload(self, model: str = MODEL) -> bytes:
        """Return a request of about 1 kB for this model; a name with `x` is asked for as a stream."""
        return load.post("/v1/chat/completions", body(model), key=self.key)

    def cpu(self) -> float:
        """Return CPU seconds of the process tree so far."""
        return machine.cpu_seconds(self.pid)

    def pss_mib(self) -> float:
        """Return proportional memory of the process tree in MiB."""
        return machine.pss_kib(self.pid) / 1024

    def records(self) -> int | None:
        """Return how many calls the database holds, or None if it has no such table."""
        return _records(self.folder)


def body(model: str) -> bytes:
    """Return a request body of about 1 kB."""
    stream = bool(re.search(r"bench-\d+x\d+", model))
    messages = [{"role": "system", "content": PADDING * 3}, {"role": "user", "content": PADDING * 6}]
    data: dict[str, Any] = {"model": model, "messages": messages, "temperature": 0.7, "max_tokens": 200}
    return json.dumps({**data, "stream": True} if stream else data, separators=(",", ":")).encode()


def prepare(folder: Path, root: Path = machine.ROOT) -> Prepared:
    """Migrate a database and issue a key, once for all servers of one tree."""
    folder.mkdir(parents=True)
    surroundings = environment("daphne", 0, 0, folder)
    manage(surroundings, "migrate", "--verbosity", "0", root=root)
    key = manage(surroundings, "issue_key", "--label", "benchmark", root=root).strip()
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Prepared(folder / DATABASE, key)


@contextlib.contextmanager
def running(
    name: str,
    core: int,
    upstream_port: int,
    folder: Path,
    prepared: Prepared,
    root: Path = machine.ROOT,
    *,
    more: Mapping[str, str] | None = None,
) -> Iterator[Serving]:
    """Serve a copy of the prepared database, pinned to `core`, for a `with` block; stop by SIGTERM. `more` is what the
    server finds in its environment besides."""
    folder.mkdir(parents=True)
    shutil.copy(prepared.database, folder / DATABASE)
    key, port = prepared.key, _free_port()
    surroundings = {**environment(name, port, upstream_port, folder), **(more or {})}
    with (folder / "server.log").open("wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "proxx.server"], cwd=root, env=surroundings, stdout=log, stderr=log
        )
        os.sched_setaffinity(process.pid, {core})
        try:
            start = _wait(process, port, key, began, folder)
            yield Serving(name, port, process.pid, key, start, folder)
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def manage(environment: Mapping[str, str], *arguments: str, root: Path = machine.ROOT) -> str:
    """Run one management command and return what it printed."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=root, env=dict(environment), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments[:1])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def environment(name: str, port: int, upstream_port: int, folder: Path) -> dict[str, str]:
    """Return all that a measured server finds in its environment."""
    kept = {word: os.environ[word] for word in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if word in os.environ}
    return {
        **kept,
        **SECRETS,
        **SERVERS[name],
        "DJANGO_SETTINGS_MODULE": "proxx.settings.prod",
        "PROXX_ENV_FILE": os.devnull,
        "PROXY_HOST": "127.0.0.1",
        "PROXY_PORT": str(port),
        "PROXY_DATA_DIR": str(folder),
        "PROXY_KEYS_FILE": os.devnull,
        "PROXY_MODELS_FILE": os.devnull,
        "PROXY_LIST_WATCH": "false",  # the provider lists one model; the streams' names are none of its list
        "OPENAI_API_KEY": "sk-benchmark-0123456789",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream_port}/v1",
        "UPSTREAM_PROVIDER_ID": "groq",
        "UPSTREAM_FALLBACK_PROVIDER_IDS": "openai",
        "GROQ_API_KEY": upstream.FAILS,
        "GROQ_BASE_URL": f"http://127.0.0.1:{upstream_port}/v1",
        "MISTRAL_BASE_URL": f"http://127.0.0.1:{upstream_port}/v1",
        "PROXY_KEYS_JSON": json.dumps({"providers": {"mistral": [upstream.RESTS, "sk-benchmark-0123456789"]}}),
    }


def _wait(process: subprocess.Popen[bytes], port: int, key: str, began: float, folder: Path) -> Start:
    healthy = 0.0
    while time.monotonic() < began + READY_WITHIN:
        if process.poll() is not None:
            break
        if not healthy and _ask(port, "GET", "/health", key) == 200:
            healthy = time.monotonic() - began
        if healthy and _ask(port, "POST", "/v1/chat/completions", key, body(MODEL)) == 200:
            return Start(healthy, time.monotonic() - began)
        time.sleep(0.005)
    raise RuntimeError(f"The server did not answer:\n{(folder / 'server.log').read_text(errors='replace')[-4000:]}")


def _ask(port: int, method: str, path: str, key: str, data: bytes | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    try:
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _records(folder: Path) -> int | None:
    with contextlib.closing(sqlite3.connect(f"file:{folder / DATABASE}?mode=ro", uri=True, timeout=20)) as connection:
        try:
            found: int = connection.execute("SELECT COUNT(*) FROM analytics_requestlog").fetchone()[0]
        except sqlite3.OperationalError:
            return None
        return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
