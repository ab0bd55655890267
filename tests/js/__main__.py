"""`make test-js`: the official JavaScript libraries, unmodified, against proxx with upstreams of all five dialects.

    python -m tests.js                      every library
    python -m tests.js ollama.test.js ...   only these files
    python -m tests.js --name 'a tool'      only tests whose name matches

Installs what package-lock.json pins (npm ci) when it changed, starts the simulated provider and proxx, and hands node's
own test runner their addresses; the tests then script the provider over HTTP (upstream.js). Exit code: node's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import npm
from tests.clients.asking import CLIENTS, five_upstreams, limited, upstream
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix.cell import MODELS
from tests.upstreams.server import simulated_provider

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Read the command line, install, start, test."""
    parser = argparse.ArgumentParser(prog="python -m tests.js", description=__doc__)
    parser.add_argument("files", nargs="*", help="test files; without any: all")
    parser.add_argument("--name", help="only tests whose name matches this pattern")
    options = parser.parse_args()
    if missing := npm.what_is_missing():
        print(f"make test-js {missing}", file=sys.stderr)
        return 2
    npm.install(HERE)
    files = options.files or sorted(path.name for path in HERE.glob("*.test.js"))
    chosen = [f"--test-name-pattern={options.name}"] if options.name else []
    command = ["node", "--test", "--test-concurrency=1", "--test-reporter=spec", *chosen, *files]
    with tempfile.TemporaryDirectory(prefix="proxx-js-") as folder, simulated_provider() as provider:
        templates = Templates(Path(folder), "")
        with running(Path(folder) / "proxx", templates, provider, env={"PROXY_MAX_ATTEMPTS": "1"}, real=False) as proxx:
            five_upstreams(proxx)
            return subprocess.run(command, cwd=HERE, env={**os.environ, **told(proxx)}, check=False).returncode


def told(proxx: LiveProxx) -> dict[str, str]:
    """Return what the tests know: addresses, the key, and a model of each upstream."""
    upstreams = {
        dialect: {
            "model": upstream(dialect, MODELS[dialect]),
            "limited": f"{limited(dialect)}/{MODELS[dialect]}",
            "name": MODELS[dialect],
        }
        for dialect in CLIENTS
    }
    known = {"origin": proxx.origin, "key": proxx.token, "provider": proxx.provider.origin, "upstreams": upstreams}
    return {"PROXX_UNDER_TEST": json.dumps(known)}


if __name__ == "__main__":
    sys.exit(main())
