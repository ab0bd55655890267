"""The task: the model thinks, has the agent's shell write a file, reads it back, and says so.

What is judged: the file, the exit code, the last words, what the shell printed (it must have reached the upstream), and
that nobody answered with an error: neither the simulated provider, which refuses what the real one would, nor proxx.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.agents.agents import Agent, Place
from tests.clients.asking import upstream
from tests.live import LiveProxx
from tests.protocols.matrix.cell import MODELS
from tests.upstreams.script import Rule, Script, call_tool, say, think

SMALL = {
    "openai_chat": "gpt-x-mini",
    "openai_responses": "gpt-x-mini",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-2.5-flash-lite",
    "ollama": "gpt-x-mini",
}
CONTENT = "written through proxx 🙂"
PROOF = "The shell has spoken:"
LAST_WORDS = "The file is there and says what it should."
PROMPT = "Use your shell to write the file note.txt, then read it back and tell me whether it is right."
REFUSALS = ((429, "usage_limit_reached"), (400, "invalid_encrypted_content"))
WITHIN = 180.0  # seconds; a busy machine took 81 to start opencode, an idle one 3


@dataclass
class Run:
    """What came of it. `faults` are sentences; none means it worked."""

    agent: str
    upstream: str
    seconds: float = 0.0
    code: int | None = None
    said: str = ""
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def alias_of(dialect: str) -> str:
    """Return the name like Anthropic's own that leads to the upstream of this dialect."""
    return f"claude-sonnet-4-5-{dialect.replace('_', '-')}"


def make_aliases(proxx: LiveProxx) -> None:
    """Make those names and wait until they are known."""
    names = {alias_of(dialect): upstream(dialect, model) for dialect, model in MODELS.items()}
    proxx.run(
        f"""
from routing.models import ModelPreference
for name, target in {names!r}.items():
    ModelPreference.objects.create(name=name, alias_of=target)
"""
    )
    for name in names:
        proxx.wait_until_served(name)


def run(
    proxx: LiveProxx,
    agent: Agent,
    dialect: str,
    folder: Path,
    programs: Path,
    *,
    model: str = "",
    limited: bool = False,
) -> Run:
    """Have one agent do the task against the upstream of one dialect, or with the model that is named; `limited`:
    one account may say that it is at its limit, and the next that it cannot read what the first has sealed."""
    done = Run(agent.name, dialect)
    home, work = folder / "home", folder / "work"
    work.mkdir(parents=True)
    place = Place(
        proxx.origin,
        proxx.token,
        model or upstream(dialect, MODELS[dialect]),
        model or upstream(dialect, SMALL[dialect]),
        alias_of(dialect),
    )
    start = agent.start(place, PROMPT)
    for name, content in start.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content)
    home.mkdir(exist_ok=True)
    told(proxx, agent, dialect, work)
    since = f"{int(time.time() * 1000):012x}"  # a record's id begins with its milliseconds
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "CI": "1",
        **start.variables,
    }
    began = time.monotonic()
    done.code, done.said = execute([str(programs / agent.program), *start.arguments], work, environment)
    done.seconds = time.monotonic() - began
    judge(done, proxx, work, since, REFUSALS if limited else ())
    return done


def told(proxx: LiveProxx, agent: Agent, dialect: str, work: Path) -> None:
    """Tell the upstream what to say, step by step; a small model asked for a title answers as it likes."""
    proxx.provider.reset()
    note = work / "note.txt"
    write = call_tool(agent.shell, agent.command(f"printf '%s' '{CONTENT}' > {note}"))
    read = call_tool(agent.shell, agent.command(f"printf '%s ' '{PROOF}'; cat {note}"))
    for steps in ((think("I write it first."), say("I write the file."), write), (read,), (say(LAST_WORDS),)):
        proxx.provider.scripts.rules.append(Rule(Script(steps), model=MODELS[dialect]))


def execute(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int | None, str]:
    """Run a program in a session of its own; return its exit code (None: it did not end in time) and what it said."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=WITHIN)
        return process.returncode, said.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        return None, said.decode(errors="replace")


def judge(done: Run, proxx: LiveProxx, work: Path, since: str, allowed: Sequence[tuple[int, str]] = ()) -> None:
    """Note what is wrong."""
    note = work / "note.txt"
    found = note.read_text() if note.exists() else None
    if done.code != 0:
        done.faults.append("it did not end in time" if done.code is None else f"exit code {done.code}")
    if found != CONTENT:
        done.faults.append(f"the file holds {found!r}")
    if LAST_WORDS not in done.said:
        done.faults.append("the last words were not shown")
    entries = [entry for entry in proxx.provider.journal if entry.method == "POST"]
    if not any(f"{PROOF} {CONTENT}" in json.dumps(json.loads(entry.body), ensure_ascii=False) for entry in entries):
        done.faults.append("what the shell printed did not reach the upstream")
    for entry in entries:
        done.requests.append(f"{entry.status} {entry.path} {entry.model}")
        if any(entry.status == status and word in bytes(entry.answer).decode() for status, word in allowed):
            continue
        if entry.status != 200:
            done.faults.append(f"the upstream answered {entry.status}: {bytes(entry.answer).decode()[:300]}")
    records = proxx.wait_for_rows(
        "SELECT status, outcome, error_code, endpoint, model_requested FROM analytics_requestlog"
        f" WHERE id >= '{since}'",
        sum(entry.status == 200 for entry in entries),
    )
    done.faults += [f"proxx answered {one}" for one in records if one[1] != "ok"]
