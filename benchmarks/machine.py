"""What a figure means nothing without: machine, versions, commit; and the /proc readers that measure a process tree."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TICK = 1 / os.sysconf("SC_CLK_TCK")
PACKAGES = (
    "django",
    "django-ninja",
    "daphne",
    "twisted",
    "uvicorn",
    "uvloop",
    "httptools",
    "httpx",
    "orjson",
    "msgspec",
)


def describe() -> dict[str, Any]:
    """Return the machine, the versions and the commit."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "load_average": [round(figure, 2) for figure in os.getloadavg()],
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def commit() -> str:
    """Return the short commit, marked `dirty` when tracked files differ from it."""
    try:
        found = _git("rev-parse", "--short", "HEAD").strip()
        changed = _git("status", "--porcelain", "--untracked-files=no")
        return f"{found}-dirty" if changed.strip() else found
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def cores() -> tuple[int, int]:
    """Return the core for proxx and the core for provider and load; the same one if there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1 % len(usable)]


def tree(pid: int) -> list[int]:
    """Return a process and all its living descendants."""
    found = [pid]
    for parent in found:
        found += [child for child in _children(parent) if child not in found]
    return found


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process tree so far, ended children that were waited for included."""
    total = 0
    for one in tree(pid):
        fields = _stat(one)
        total += int(fields[11]) + int(fields[12])
        if one == pid:
            total += int(fields[13]) + int(fields[14])
    return total * TICK


@dataclass(slots=True)
class Neighbours:
    """How much of the two cores others used meanwhile: the figure that says how far to trust the rest."""

    cores: tuple[int, int]
    began: float = field(default_factory=time.monotonic)
    busy: float = 0.0
    ours: float = 0.0

    def __post_init__(self) -> None:
        self.busy, self.ours = _busy_seconds(self.cores), cpu_seconds(os.getpid())

    def share(self) -> float:
        """Return cores' worth of CPU that neither proxx nor provider nor load used since the start."""
        busy = _busy_seconds(self.cores) - self.busy
        ours = cpu_seconds(os.getpid()) - self.ours
        return max(0.0, (busy - ours) / (time.monotonic() - self.began))


def pss_kib(pid: int) -> int:
    """Return the proportional memory of a process tree in KiB."""
    return sum(_pss(one) for one in tree(pid))


def _busy_seconds(cores: tuple[int, int]) -> float:
    wanted = {f"cpu{core}" for core in cores}
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in wanted:
            user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields[:8])
            total += user + nice + system + irq + softirq + steal
    return total * TICK


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 16  # it ended meanwhile


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:
        return []


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
