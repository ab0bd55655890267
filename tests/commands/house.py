"""A fresh copy of the house, and `make` in it: for tests of the commands themselves.

The copy shares this environment's packages (PROXX_VENV), so nothing is installed; everything else is as after a clone.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proxx.child import end_with_parent
from tests.house import files

READY_WITHIN = 90.0
# What a person's shell has; nothing of the developer's own settings.
INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


def copy(folder: Path) -> Path:
    """Copy every tracked file."""
    for name in files.tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(files.ROOT / name, folder / name)
    return folder


def environment(**more: str) -> dict[str, str]:
    """Return a plain environment, with this one's packages."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "PROXX_VENV": sys.prefix, **more}


class Command:
    """A command that runs in a shell's foreground, as far as it knows; what it says is read all the time."""

    def __init__(self, line: str, folder: Path, settings: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=folder,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=end_with_parent(),  # also if the tests themselves are killed
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, name=f"reader of {line}")
        self._reader.start()

    @property
    def said(self) -> str:
        """Return everything it has said so far."""
        return "".join(self._lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        self._lines.extend(self.process.stdout)  # line by line, as they come
        self.process.stdout.close()

    def until(self, pattern: str, seconds: float = READY_WITHIN) -> re.Match[str]:
        """Wait until it said that."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said)):
            if time.monotonic() > deadline or not self._reader.is_alive():
                raise AssertionError(f"It never said {pattern!r}:\n{self.said}")
            time.sleep(0.02)
        return found

    def supervisor(self) -> int:
        """Return the pid of the Python process below `make`."""
        return next(pid for pid in self.family() if b"proxx.run" in Path(f"/proc/{pid}/cmdline").read_bytes())

    def family(self) -> list[int]:
        """Return the pids of the command and all its descendants, oldest first."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(stat.parent.name)] = int(fields[1])
        family = [self.process.pid]
        for pid in family:
            family += sorted(child for child, parent in parents.items() if parent == pid)
        return family

    def end(self, number: signal.Signals = signal.SIGINT, seconds: float = 60) -> int:
        """Do what Ctrl-C in a terminal does: signal the whole foreground group; return the exit code."""
        os.killpg(self.process.pid, number)
        code = self.process.wait(seconds)
        self._reader.join(10)
        return code


@contextmanager
def started(line: str, folder: Path, settings: dict[str, str]) -> Iterator[Command]:
    """Run a command for a `with` block; afterwards none of its processes is left."""
    command = Command(line, folder, settings)
    try:
        yield command
    finally:
        for pid in reversed(command.family()) if command.process.poll() is None else []:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        command.process.wait(10)
