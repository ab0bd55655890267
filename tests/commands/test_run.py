"""The supervisor with children of a few lines: who is stopped, who comes back, which exit code remains."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from proxx import place, run
from proxx.child import Child
from proxx.env_file import ROOT

# A server that answers requests until SIGTERM, dies of a silent caller, and a worker that waits: `{server}` is what a
# test adds.
SERVER = """
import os, signal, socket, sys, threading, time
signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b"server stops\\n"), os._exit(0)))
print("server is", os.getpid())
door = socket.create_server(("127.0.0.1", int(os.environ["PROXY_PORT"])))
def answer():
    while True:
        caller, _ = door.accept()
        if not caller.recv(4096):
            os._exit(7)
        caller.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
        caller.close()
{server}
print("server listens")
threading.Thread(target=answer, daemon=True).start()
while True:
    time.sleep(60)
"""
WORKER = """
import os, signal, subprocess, sys, time
clock = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def stop(*_):
    os.kill(clock.pid, signal.SIGKILL)
    os.write(1, b"worker stops\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
print("worker is", os.getpid(), "clock is", clock.pid)
time.sleep(600)
"""
SUPERVISOR = """
import asyncio, os, sys
from pathlib import Path
from proxx.child import Child
from proxx.run import House, Supervisor
house = House(dict(os.environ, PROXY_PORT="{port}", PYTHONUNBUFFERED="1"), "127.0.0.1", {port}, drain={drain})
def child(name, code):
    return Child(name, (sys.executable, "-c", code), house.environment, Path.cwd())
children = {{name: child(name, code) for name, code in {codes!r}.items()}}
sys.exit(asyncio.run(Supervisor(house, **children).run()))
"""


class Running:
    """A supervisor in a process of its own, and what it has said so far."""

    def __init__(self, *, server: str = "", drain: float = 5) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        codes = {"server": SERVER.format(server=server), "worker": WORKER}
        code = SUPERVISOR.format(port=port, drain=drain, codes=codes)
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def until(self, pattern: str) -> re.Match[str]:
        """Read on until the pattern was said."""
        while not (found := re.search(pattern, self.said)):
            line = self.process.stdout.readline()
            assert line, f"it ended without saying {pattern!r}:\n{self.said}"
            self.said += line
        return found

    def pids(self) -> list[int]:
        """Wait until all run, and return their pids."""
        worker = self.until(r"worker is (\d+) clock is (\d+)")
        return [int(self.until(r"server is (\d+)")[1]), int(worker[1]), int(worker[2])]

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        self.said += self.process.communicate(timeout=20)[0]
        return self.process.returncode


@pytest.fixture
def started():
    running: list[Running] = []

    def start(**settings):
        running.append(Running(**settings))
        return running[-1]

    yield start
    for each in running:
        each.process.kill()
        each.process.communicate()


def gone(pid: int) -> bool:
    """Wait at most five seconds for a process to be gone; a zombie that nobody reaped counts as gone."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_both_in_good_order_and_ends_with_zero(started, number):
    running = started()
    pids = running.pids()
    running.process.send_signal(number)
    assert running.end() == 0, running.said
    assert "server | server stops" in running.said
    assert "worker | worker stops" in running.said
    assert all(gone(pid) for pid in pids)


def test_the_terminals_ctrl_c_reaches_the_supervisor_only(started):
    running = started()
    pids = running.pids()
    groups = {os.getpgid(pid) for pid in pids}
    assert os.getpgid(running.process.pid) not in groups
    assert len(groups) == 2  # the worker and its clock share one


def test_it_says_ready_when_the_server_answers_and_starts_the_worker_after(started):
    running = started()
    running.pids()
    assert running.said.index("server listens") < running.said.index("Ready after") < running.said.index("worker is")


def test_the_death_of_the_server_ends_all_with_its_exit_code(started):
    running = started()
    running.until("Ready after")
    running.process.stdout.flush()
    port = int(re.search(r'PROXY_PORT="(\d+)"', running.process.args[2])[1])
    pids = running.pids()
    socket.create_connection(("127.0.0.1", port)).close()
    assert running.end() == 7, running.said
    assert "exit code 7" in running.said
    assert all(gone(pid) for pid in pids)


def test_a_server_killed_by_a_signal_ends_as_a_shell_would_say(started):
    running = started()
    pids = running.pids()
    os.kill(pids[0], signal.SIGKILL)
    assert running.end() == 128 + signal.SIGKILL
    assert all(gone(pid) for pid in pids)


def test_a_dead_worker_comes_back_and_leaves_no_clock_behind(started):
    running = started()
    _, worker, clock = running.pids()
    os.kill(worker, signal.SIGKILL)
    running.until(r"The worker ended with exit code 137; serving goes on, it comes back in 1 s\.")
    assert gone(clock)
    again = running.until(r"(?s)comes back.*worker is (\d+)")
    assert int(again[1]) != worker
    running.process.send_signal(signal.SIGINT)
    assert running.end() == 0


def test_a_second_ctrl_c_ends_all_at_once(started):
    running = started(server="signal.signal(signal.SIGTERM, lambda *_: print('server drains'))", drain=300)
    pids = running.pids()
    running.process.send_signal(signal.SIGINT)
    running.until("server drains")
    running.process.send_signal(signal.SIGINT)
    assert running.end() == 1
    assert all(gone(pid) for pid in pids)


def test_a_killed_supervisor_takes_its_children_along(started):
    running = started()
    pids = running.pids()
    running.process.kill()
    assert all(gone(pid) for pid in pids)


def test_host_and_port_have_aliases_and_the_first_name_wins(tmp_path):
    environment = {"PROXX_ENV_FILE": str(tmp_path / ".env"), "HOST": "localhost", "PORT": "0"}
    house = run.furnish(environment, reload=False)
    assert house.host == "localhost"
    assert house.port > 0
    assert house.environment["PROXY_PORT"] == str(house.port)
    assert run.furnish({**environment, "PROXY_HOST": "127.0.0.1"}, reload=False).host == "127.0.0.1"


def test_the_env_file_may_say_where_to_listen(tmp_path):
    (tmp_path / ".env").write_text("PROXY_HOST=localhost\nPROXY_PORT=0\nPROXY_DRAIN_TIMEOUT=3\n")
    house = run.furnish({"PROXX_ENV_FILE": str(tmp_path / ".env")}, reload=False)
    assert (house.host, house.drain) == ("localhost", 3)


def test_a_taken_port_is_said_in_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"PROXX_ENV_FILE": str(tmp_path / ".env"), "PROXY_PORT": port}
        with pytest.raises(ValueError, match=f"port {port}"):
            run.furnish(environment, reload=False)


def test_a_port_that_is_no_number_is_said_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="PROXY_PORT must be a number"):
        run.furnish({"PROXX_ENV_FILE": str(tmp_path / ".env"), "PORT": "web"}, reload=False)


@pytest.mark.parametrize("port", ["80000", "65536", "-1", "12.5", "inf"])
def test_a_port_that_no_machine_has_is_refused(tmp_path, port):
    with pytest.raises(ValueError, match="PROXY_PORT must be a whole number from 0 to 65535"):
        run.furnish({"PROXX_ENV_FILE": str(tmp_path / ".env"), "PROXY_PORT": port}, reload=False)


def test_settling_the_place_writes_nothing(tmp_path):
    run.furnish({"PROXX_ENV_FILE": str(tmp_path / ".env"), "PROXY_PORT": "0"}, reload=False)
    assert list(tmp_path.iterdir()) == []


def test_a_second_supervisor_on_the_same_data_is_refused_until_the_first_has_ended(tmp_path):
    folder = tmp_path / "data"
    with place.alone(folder):
        with pytest.raises(ValueError, match="another proxx runs with the data folder"), place.alone(folder):
            pass
        with place.alone(tmp_path / "other"):
            pass
    with place.alone(folder):
        pass


def test_a_data_folder_that_cannot_be_is_said_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="PROXY_DATA_DIR"), place.alone(tmp_path / "file"):
        pass


def test_a_line_that_tells_nothing_is_not_said(capsys):
    async def speak():
        code = "print('useful'); print('worker: Warm shutdown (MainProcess)')"
        child = Child("worker", (sys.executable, "-c", code), os.environ, ROOT, unsaid="worker: Warm shutdown")
        child.start()
        return await child.ended()

    assert asyncio.run(speak()) == 0
    assert capsys.readouterr().out == "worker | useful\n"
