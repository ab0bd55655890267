"""The files of the house as they are in version control, or will be: what ignore rules leave out is no part of it."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("proxx", "accounts", "oauth", "routing", "analytics")
NOT_OURS = {".git", ".venv", "data", "staticfiles", "__pycache__", "node_modules"}


@cache
def tracked() -> tuple[str, ...]:
    """Return the path of every file, from the top, with forward slashes."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no history
        listed = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if not NOT_OURS & set(path.parts)]
    return tuple(sorted(name for name in listed if name and (ROOT / name).is_file()))


def python(*, migrations: bool = False, tests: bool = True) -> tuple[str, ...]:
    """Return the Python files."""
    return tuple(
        name
        for name in tracked()
        if name.endswith(".py")
        and (migrations or "/migrations/" not in name)
        and (tests or not name.startswith(("tests/", "benchmarks/")))
    )


def text(name: str) -> str:
    """Return what stands in a file."""
    return (ROOT / name).read_text()
