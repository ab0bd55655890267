"""Packages of other people's JavaScript for tests: what a lock names, installed once in its folder.

Nothing of `make test` needs it; who wants these tests has Node.js and npm.
"""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

NODE = 20  # the oldest major that everything pinned runs on


def what_is_missing() -> str:
    """Return what of Node.js and npm is not there or too old, as a sentence's end; nothing if all is well."""
    if not shutil.which("node") or not shutil.which("npm"):
        return f"needs Node.js {NODE} or newer with npm."
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < NODE:
        return f"needs Node.js {NODE} or newer, not {version}."
    return ""


def install(folder: Path) -> None:
    """Install exactly what a folder's lock names, if that is not what is there."""
    lock, stamp = folder / "package-lock.json", folder / "node_modules" / ".proxx.stamp"
    with (Path(tempfile.gettempdir()) / f"proxx-npm-{folder.name}.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # several workers begin at once
        if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
            return
        print("Installing the locked JavaScript packages", flush=True)
        subprocess.run(["npm", "ci", "--silent", "--ignore-scripts"], cwd=folder, check=True)
        shutil.copy(lock, stamp)
