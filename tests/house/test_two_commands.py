"""`make run` on a fresh clone, truly: from nothing to an answer, a second start, and the end by Ctrl-C."""

import http.client
import json
import os
import re
import signal
import stat
import subprocess
import time

import pytest

from tests.commands import house
from tests.ports import free_port

pytestmark = pytest.mark.slow
SECRETS = re.compile(r"pxx_[\w-]{43}|password: (\S+)")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return house.copy(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def first_start(clone, module_provider):
    """Start it for the first time with one provider key; what it said, what a user then did, and how it ended."""
    port = str(free_port())
    settings = house.environment(
        PORT=port, OPENAI_API_KEY="sk-sim-1", OPENAI_BASE_URL=module_provider.base_url, UPSTREAM_PROVIDER_ID="openai"
    )
    seen = {"port": port, "settings": settings}
    with house.started("make run", clone, settings) as command:
        command.until("Ready after")
        key = command.until(r"export PROXX_KEY=(\S+)")[1]
        line = command.until(r"Try it +(curl .*)")[1]
        seen["curl"] = subprocess.run(
            ["bash", "-c", f"{line} --silent --show-error"],
            env={**settings, "PROXX_KEY": key},
            capture_output=True,
            text=True,
            timeout=30,
        )
        seen["console"] = fetch(port, "/console/login/")
        seen["supervisor"] = command.supervisor()
        command.until(r"worker \||(?s:Ready after.*)")
        wait_for(lambda: any("celery" in line for line in lines_of(command.family())))
        seen["family"] = command.family()
        began = time.monotonic()
        seen["code"] = command.end(signal.SIGINT)
        seen["stopped in"] = time.monotonic() - began
        seen["said"] = command.said
    seen["env"] = (clone / ".env").read_bytes()
    return seen


def fetch(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def lines_of(pids):
    lines = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                lines.append(file.read().replace("\0", " "))
        except OSError:
            continue
    return lines


def wait_for(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_printed_curl_line_gets_a_real_answer(first_start):
    done = first_start["curl"]
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["content"]


def test_the_console_shows_its_sign_in_page_with_its_style(first_start):
    status, page = first_start["console"]
    assert status == 200
    style = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert style
    assert "csrfmiddlewaretoken" in page


def test_the_first_start_names_console_operator_and_key_once(first_start):
    said = first_start["said"]
    assert f"http://127.0.0.1:{first_start['port']}/console/" in said
    assert len(SECRETS.findall(said)) == 2
    assert said.count("password: ") == 1
    assert '{"time"' not in said.partition("password: ")[0], "lines of the log come before what a person must read"
    assert "Fresh secrets in .env: SECRET_KEY, PROXY_TOKEN_PEPPER, PROXY_ENCRYPTION_KEYS" in said
    assert "OpenAI" in said


def test_the_env_file_is_its_owners_only_and_its_secrets_were_not_printed(first_start, clone):
    assert stat.S_IMODE((clone / ".env").stat().st_mode) == 0o600
    values = re.findall(rb"^[A-Z_]+=(.+)$", first_start["env"], re.MULTILINE)
    assert len(values) == 3
    assert not any(value.decode() in first_start["said"] for value in values)


def test_ctrl_c_ends_server_and_worker_and_leaves_nothing_behind(first_start):
    assert "Stopping" in first_start["said"]
    assert len(first_start["family"]) >= 4  # make, supervisor, server, worker
    assert [line for line in lines_of(first_start["family"]) if line] == []
    assert first_start["stopped in"] < 30


def test_a_second_start_prints_no_secret_changes_no_file_and_says_how_to_add_a_provider(first_start, clone):
    settings = house.environment(PROXY_PORT=first_start["port"])
    with house.started("make run", clone, settings) as command:
        command.until("Ready after")
        os.kill(command.supervisor(), signal.SIGINT)
        assert command.process.wait(60) == 0, command.said  # the supervisor's own exit code, as make saw it
        assert SECRETS.findall(command.said) == []
    assert (clone / ".env").read_bytes() == first_start["env"]


def test_without_any_provider_key_it_says_in_one_line_how_to_add_one(tmp_path_factory):
    clone = house.copy(tmp_path_factory.mktemp("keyless"))
    with house.started("make run", clone, house.environment(PROXY_PORT=str(free_port()))) as command:
        command.until("Ready after")
        advice = [line for line in command.said.splitlines() if "Providers" in line]
        command.end(signal.SIGTERM)
    assert len(advice) == 1
    assert "OPENAI_API_KEY=" in advice[0]
    assert "console" in advice[0]


def test_what_is_in_the_way_is_one_sentence(clone, first_start):
    settings = house.environment(PROXY_PORT=first_start["port"], PROXY_LOG_LEVEL="loud")
    done = subprocess.run(["make", "run"], cwd=clone, env=settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    refusals = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("make")]
    assert refusals == ["proxx cannot start: PROXY_LOG_LEVEL must be one of debug, info, warning, error."]


def test_lost_secrets_are_refused_while_the_data_needs_them(clone, first_start):
    kept = (clone / ".env").rename(clone / "kept")
    try:
        settings = house.environment(PROXY_PORT=first_start["port"])
        done = subprocess.run(["make", "run"], cwd=clone, env=settings, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        [line] = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("make")]
        assert ".env lacks PROXY_TOKEN_PEPPER" in line
        assert "restore that file" in line
        assert not (clone / ".env").exists()
    finally:
        kept.rename(clone / ".env")


def test_a_second_start_beside_the_first_changes_nothing_and_says_why(clone, first_start):
    with house.started("make run", clone, first_start["settings"]) as command:
        command.until("Ready after")
        settings = house.environment(PROXY_PORT=str(free_port()))  # without the provider's key
        done = subprocess.run(["make", "run"], cwd=clone, env=settings, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert "another proxx runs with the data folder" in done.stderr
        command.end(signal.SIGTERM)


def test_make_alone_prints_every_command(clone):
    done = subprocess.run(["make"], cwd=clone, env=house.environment(), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0
    for name in ("run", "demo", "dev", "test", "check", "bench", "lock", "migrate"):
        assert re.search(rf"^  make {name} +\w", done.stdout, re.MULTILINE)
