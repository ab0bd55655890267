"""A process that the supervisor started: its output prefixed line by line, its whole group ended with it.

Nothing here decides when to start or stop; that is proxx/run.py.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PIECE = 64 * 1024  # one read of a child's output; also the longest line kept together
PR_SET_PDEATHSIG = 1


class Child:
    """One child process at a time, in a process group of its own."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, *, unsaid: str = ""
    ) -> None:
        self.name, self.command, self.environment = name, command, environment
        self._folder, self._unsaid = folder, unsaid  # lines with that text tell the reader nothing
        self._process: subprocess.Popen[bytes] | None = None
        self._printer: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Tell whether it runs now."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; its output begins to appear, each line behind its name."""
        # Not asyncio's own subprocess: its wait() lasts until the pipe closes, which a grandchild may hold open.
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            cwd=self._folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,  # the terminal's Ctrl-C reaches only the supervisor, which then stops all in order
            preexec_fn=end_with_parent(),
        )
        assert self._process.stdout is not None
        self._printer = asyncio.create_task(self._print(self._process.stdout), name=f"output of {self.name}")

    async def ended(self) -> int:
        """Wait for its end and return its exit code as a shell would: 128 + n if signal n ended it."""
        assert self._process is not None
        assert self._printer is not None
        code = await asyncio.to_thread(self._process.wait)
        self._signal_group(signal.SIGKILL)  # what it left behind, such as the clock of a killed worker
        await asyncio.wait({self._printer}, timeout=2)  # its last lines
        return code if code >= 0 else 128 - code

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process itself: it knows best how to end its own children."""
        if self._process is not None:
            self._process.terminate()  # which does nothing to a process that has ended

    def kill(self) -> None:
        """End the whole group at once."""
        if self.alive:
            self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _print(self, pipe: IO[bytes]) -> None:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        rest = b""
        while piece := await reader.read(PIECE):
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > PIECE:
                lines, rest = [*lines, rest], b""
            for line in filter(bytes.strip, lines):
                self._say(line)
        if rest:
            self._say(rest)

    def _say(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        if not self._unsaid or self._unsaid not in text:
            say(text, who=self.name)


def say(text: str, *, who: str = "") -> None:
    """Print one line at once; a closed terminal is no reason to stop serving."""
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.write(f"{who:<6} | {text}\n" if who else f"{text}\n")
        sys.stdout.flush()


def end_with_parent() -> Callable[[], None] | None:
    """Return what asks Linux to end the child if the supervisor itself is killed; nothing elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
