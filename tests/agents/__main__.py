"""`make test-agents`: real coding agents do a task through proxx, against upstreams of all five dialects.

    python -m tests.agents                                        every agent, every upstream
    python -m tests.agents --agent codex --upstream gemini        one cell
    python -m tests.agents --folder /tmp/agents                   keep what is installed there for the next time
    python -m tests.agents --limit                                only Codex on two ChatGPT accounts, one at its limit

Installs the versions that package.json names (about a gigabyte) into a temporary folder, never into the project.
Prints which agent worked against which dialect, in how many seconds. Exit code 1 if one did not.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.agents import limit, task
from tests.agents.agents import AGENTS
from tests.clients.asking import CLIENTS, five_upstreams
from tests.databases import Templates
from tests.live import running
from tests.upstreams import ollama
from tests.upstreams.server import simulated_provider

HERE = Path(__file__).resolve().parent
PINS = HERE / "package.json"
CONTEXT = 65536  # OLLAMA_CONTEXT_LENGTH, as Ollama's manual wants it for coding agents: their prompts exceed its 4096


def main() -> int:
    """Read the command line, install, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.agents", description=__doc__)
    parser.add_argument("--agent", nargs="+", choices=AGENTS, default=list(AGENTS))
    parser.add_argument("--upstream", nargs="+", choices=CLIENTS, default=list(CLIENTS))
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne", help="uvicorn has no WebSockets")
    parser.add_argument("--folder", type=Path, help="where to install; kept. Without it: a temporary folder")
    parser.add_argument("--limit", action="store_true", help="only: Codex, whose first account hits its limit")
    parser.add_argument("--verbose", action="store_true", help="print what each agent said and asked")
    options = parser.parse_args()
    if not shutil.which("npm"):
        print("make test-agents needs Node.js 20 or newer with npm.", file=sys.stderr)
        return 2
    ollama.CONTEXT = CONTEXT
    with tempfile.TemporaryDirectory(prefix="proxx-agents-") as folder, simulated_provider() as provider:
        programs = install(options.folder or Path(folder) / "installed")
        templates = Templates(Path(folder), "")
        runs = limit.runs(Path(folder), provider, programs, templates, options.server)
        for done in runs:
            tell(done, verbose=options.verbose)
        if options.limit:
            return summed(runs)
        settings = {"server": options.server, "env": {"PROXY_MAX_ATTEMPTS": "1"}, "real": False}
        with running(Path(folder) / "proxx", templates, provider, **settings) as proxx:
            five_upstreams(proxx)
            task.make_aliases(proxx)
            for name in options.agent:
                for dialect in options.upstream:
                    done = task.run(proxx, AGENTS[name], dialect, Path(folder) / f"{name}-{dialect}", programs)
                    tell(done, verbose=options.verbose)
                    runs.append(done)
    return summed(runs)


def summed(runs: list[task.Run]) -> int:
    """Say how many worked; return the exit code."""
    failed = sum(bool(done.faults) for done in runs)
    print(f"{len(runs) - failed} of {len(runs)} worked")
    return 1 if failed else 0


def install(folder: Path) -> Path:
    """Install the pinned versions, unless they are there; return the folder of the programs.

    There is no lock: each agent brings one package per platform, and not every registry has them all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / ".proxx.stamp"
    if not stamp.exists() or stamp.read_bytes() != PINS.read_bytes():
        print("Installing the agents, about a gigabyte", flush=True)
        shutil.copy(PINS, folder)
        quiet = ("--silent", "--no-audit", "--no-fund", "--no-package-lock")
        subprocess.run(["npm", "install", *quiet], cwd=folder, check=True)
        shutil.copy(PINS, stamp)
    return folder / "node_modules" / ".bin"


def tell(done: task.Run, *, verbose: bool) -> None:
    """Print one line for what worked, all that is known for what did not."""
    verdict = "failed" if done.faults else "worked"
    own = " (its own)" if AGENTS[done.agent].dialect == done.upstream else ""
    print(f"{verdict}  {done.agent:19} {done.upstream + own:27} {done.seconds:5.1f} s", flush=True)
    for fault in done.faults:
        print(f"        {fault}")
    if done.faults or verbose:
        for line in (*done.requests, *done.said.splitlines()):
            print(f"        | {line[:400]}")


if __name__ == "__main__":
    sys.exit(main())
