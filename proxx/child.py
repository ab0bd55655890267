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

PIECE = 64 * 1024  # one read of a child's output; also the longest line kept together
PR_SET_PDEATHSIG = 1


class Child:
    """One child process at a time, in a process group of its own."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._command, self._environment, self._folder = command, environment, folder
        self._process: asyncio.subprocess.Process | None = None
        self._printer: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Tell whether it runs now."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; its output begins to appear, each line behind its name."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self._folder,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,  # the terminal's Ctrl-C reaches only the supervisor, which then stops all in order
            preexec_fn=_end_with_parent(),
        )
        self._printer = asyncio.create_task(self._print_output(), name=f"output of {self.name}")

    async def ended(self) -> int:
        """Wait for its end and return its exit code as a shell would: 128 + n if signal n ended it."""
        assert self._process is not None
        assert self._printer is not None
        code = await self._process.wait()
        self._signal_group(signal.SIGKILL)  # what it left behind, such as the clock of a killed worker
        await asyncio.wait({self._printer}, timeout=2)  # its last lines
        return code if code >= 0 else 128 - code

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process itself: it knows best how to end its own children."""
        if self._process is not None and self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole group at once."""
        if self.alive:
            self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _print_output(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        rest = b""
        while piece := await self._process.stdout.read(PIECE):
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > PIECE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                say(line.decode(errors="replace"), who=self.name)
        if rest:
            say(rest.decode(errors="replace"), who=self.name)


def say(text: str, *, who: str = "") -> None:
    """Print one line at once; a closed terminal is no reason to stop serving."""
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.write(f"{who:<6} | {text}\n" if who else f"{text}\n")
        sys.stdout.flush()


def _end_with_parent() -> Callable[[], None] | None:
    """Return what asks Linux to end the child if the supervisor itself is killed; nothing elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
