"""The console's static files, for tests that look at its pages through a real server."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.databases import ROOT
from tests.live import base_environment


def collect() -> None:
    """Collect them, unless that is done; who calls while another test collects waits for it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "proxx.prepare", "static"]
        subprocess.run(command, cwd=ROOT, env=base_environment(Path(folder)), check=True)
