"""Programs of proxx without the wait for other people's modules, which is most of a start.

    done = run("manage.py", "check", env=environment)         as subprocess.run
    process = start("-c", program, env=environment)           as subprocess.Popen

One process per test worker imports those modules once, none of which reads settings, and forks for each program. From
there on it runs as from a shell: an environment, a folder, signals and an exit code of its own. What a process must
have for itself (threads, an event loop, settings, the mark by which it knows its own messages) is never imported before
the fork.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NoReturn, TextIO

ROOT = Path(__file__).parents[1]
MODULES = (
    "OpenSSL.SSL",
    "allauth.account.checks",
    "allauth.core.ratelimit",
    "asgiref.sync",
    "autobahn.twisted.websocket",
    "celery.app.task",
    "channels.auth",
    "channels.generic.websocket",
    "cryptography.hazmat.primitives.ciphers.aead",
    "daphne.http_protocol",
    "daphne.ws_protocol",
    "django.contrib.admin.options",
    "django.contrib.admin.views.main",
    "django.contrib.auth.apps",
    "django.contrib.auth.hashers",
    "django.contrib.messages.middleware",
    "django.contrib.postgres.fields",
    "django.contrib.sessions.backends.db",
    "django.contrib.staticfiles.storage",
    "django.core.asgi",
    "django.core.management.commands.shell",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.db.models",
    "django.forms",
    "django.middleware.cache",
    "django.middleware.csrf",
    "django.template.backends.django",
    "django.test.testcases",
    "django.views.generic",
    "environ",
    "httpcore",
    "httptools",
    "httpx",
    "kombu.transport.filesystem",
    "msgspec",
    "prometheus_client",
    "pydantic.main",
    "pydantic.type_adapter",
    "redis.asyncio",
    "requests",
    "sqlparse",
    "twisted.internet.asyncioreactor",
    "uvicorn.server",
    "uvloop",
    "whitenoise.middleware",
    "proxx.protocols.registry",
)


class Forked:
    """A running program: what tests use of a subprocess.Popen."""

    def __init__(self, line: socket.socket, command: tuple[str, ...], stdout: TextIO | None = None) -> None:
        self._line, self._command, self.stdout = line, command, stdout
        # Unbuffered: what is read ahead, a later `select` would not see.
        self._said = line.makefile("rb", buffering=0)
        self.pid = int(self._said.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.returncode is None and select.select([self._line], [], [], 0)[0]:
            self._ended()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code, as of a shell's child; raise subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self._command, timeout or 0.0)
            self._ended()
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Read what it writes to its end, and wait for it."""
        assert self.stdout is not None
        with self.stdout:
            said = self.stdout.read()
        self.wait(timeout)
        return said, None

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is known to have ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _ended(self) -> None:
        self.returncode = int(self._said.readline())
        self._said.close()
        self._line.close()


def start(
    *arguments: str,
    env: Mapping[str, str],
    source: IO[bytes] | None = None,
    output: IO[bytes] | None = None,
    errors: IO[bytes] | None = None,
) -> Forked:
    """Run `python <arguments>` in the project's folder with that environment.

    `source` is what it reads (None: nothing), `output` where it writes, and its `errors` too unless they go elsewhere.
    Without an output it writes to a pipe that `stdout` of the answer reads, and its errors go nowhere.
    """
    wish = json.dumps({"arguments": arguments, "env": dict(env)}).encode()
    with contextlib.ExitStack() as stack:
        nothing = stack.enter_context(Path(os.devnull).open("r+b"))
        said = None
        if output is None:
            reader, writer = os.pipe()
            said, output = open(reader), stack.enter_context(open(writer, "wb"))  # noqa: SIM115
            errors = errors or nothing
        files = [one.fileno() for one in (source or nothing, output, errors or output)]
        line = socket.socket(socket.AF_UNIX)
        line.connect(_nursery())
        socket.send_fds(line, [len(wish).to_bytes(4, "big")], files)
        line.sendall(wish)
        return Forked(line, arguments, said)


def run(
    *arguments: str, env: Mapping[str, str], given: str = "", timeout: float = 60
) -> "subprocess.CompletedProcess[str]":
    """Run `python <arguments>` to its end with some input; raise subprocess.TimeoutExpired after killing it."""
    with contextlib.ExitStack() as stack:
        source, output, errors = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        source.write(given.encode())
        source.seek(0)
        process = start(*arguments, env=env, source=source, output=output, errors=errors)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        said = [(one.seek(0), one.read().decode(errors="replace"))[1] for one in (output, errors)]
    return subprocess.CompletedProcess(arguments, code, *said)


@functools.cache
def _nursery() -> str:
    """Start the process that forks, once, and return where it listens."""
    address = f"\0proxx-tests-{os.getpid()}-{time.monotonic_ns()}"
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forked", address.replace("\0", "@")],
        cwd=ROOT,
        env=known,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(process.kill)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return address


def _main(address: str) -> None:
    for name in MODULES:
        importlib.import_module(name)
    _nothing_shared()
    gc.collect()
    gc.freeze()  # no child looks through all this again, or copies it by looking
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address.replace("@", "\0"))
    listener.listen()
    print("ready", flush=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the tests' to answer
    while True:
        readable, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in readable:  # the tests are over
            return
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _keep(line)
        line.close()


def _nothing_shared() -> None:
    """Refuse what each process must have for itself."""
    from django.conf import settings

    shared = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    shared += [name for name in ("twisted.internet.reactor", "proxx.kit.shared_state") if name in sys.modules]
    if settings.configured:
        shared.append("settings")
    if shared:
        raise RuntimeError(f"A fork would share {', '.join(shared)}.")


def _keep(line: socket.socket) -> NoReturn:
    """Be the parent of one program: tell its number, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(line, 4, 3)
    wish = json.loads(line.makefile("rb").read(int.from_bytes(size, "big")))
    child = os.fork()
    if child == 0:
        line.close()
        _become(files, wish["arguments"], wish["env"])
    for file in files:
        os.close(file)
    with contextlib.suppress(BrokenPipeError):  # the tests may be over
        line.sendall(b"%d\n" % child)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        line.sendall(b"%d\n" % code)
    os._exit(0)


def _become(files: list[int], arguments: list[str], env: dict[str, str]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for place, file in enumerate(files):
        os.dup2(file, place)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    sys.stdin, sys.stdout = open(0), open(1, "w", buffering=1)  # noqa: SIM115
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
    sys.exit(0)


if __name__ == "__main__":
    _main(sys.argv[1])
