"""Every command of the README, run as it stands in a fresh copy: only port and packages are ours."""

import os
import re
import subprocess
import sys

import pytest

from tests.commands import house
from tests.house import files
from tests.ports import free_port

pytestmark = pytest.mark.slow
PORT_IN_THE_README = "8789"


def blocks(kind: str) -> list[str]:
    """Return the README's fenced blocks of that kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", files.text("README.md"), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Return every shell command, in the order in which a reader would type them."""
    joined = [block.replace("\\\n", " ") for block in blocks("sh")]
    return [line.strip() for block in joined for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Follow the README from top to bottom in a fresh clone; what each command said."""
    folder = house.copy(tmp_path_factory.mktemp("reader"))
    port = str(free_port())
    settings = house.environment(PROXY_PORT=port)
    heard: dict[str, str] = {}
    served = None
    try:
        for line in commands():
            if line.startswith("make"):
                if served:
                    served.end()
                served = house.Command(line, folder, settings)
                served.until("Ready after")
                key = re.search(r"export PROXX_KEY=(\S+)", served.said)
                settings["PROXX_KEY"] = key[1] if key else settings.get("PROXX_KEY", "")
                if line == "make demo":
                    heard |= run_python(settings, port)
                heard[line] = served.said
            else:
                heard[line] = run(line.replace(f":{PORT_IN_THE_README}", f":{port}"), folder, settings)
    finally:
        if served:
            served.end()
    return heard


def run(line: str, folder: os.PathLike[str], settings: dict[str, str]) -> str:
    """Run a command that ends by itself."""
    command = ["bash", "-c", line]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_python(settings: dict[str, str], port: str) -> dict[str, str]:
    """Run the README's Python examples."""
    heard = {}
    for code in blocks("python"):
        ours = code.replace(f":{PORT_IN_THE_README}", f":{port}")
        done = subprocess.run([sys.executable, "-c", ours], env=settings, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        heard[code] = done.stdout
    return heard


def test_every_command_was_run(said):
    assert set(commands()) <= set(said)
    assert {"make demo", "make run"} <= set(said)


def test_curl_answers_as_the_readme_shows(said):
    answer = next(text for line, text in said.items() if line.startswith("curl"))
    shown = next(block for block in blocks("json"))
    assert '"chat.completion"' in answer
    assert '"chat.completion"' in shown
    for text in re.findall(r'"content": "([^"]+)"', shown):
        assert f'"content": "{text}"' in answer
    for name, count in re.findall(r'"(\w+_tokens)": (\d+)', shown):
        assert re.search(rf'"{name}": {count}\b', answer), name
    for member in re.findall(r'^  "(\w+)":', shown, re.MULTILINE):
        assert f'"{member}":' in answer


def test_the_python_example_prints_the_answer(said):
    example = blocks("python")[0]
    assert said[example] == "Say hello."


def test_the_demo_has_traffic_and_run_has_none(said):
    assert "Simulated provider" in said["make demo"]
    assert "Simulated provider" not in said["make run"]
