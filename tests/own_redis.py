"""A Redis server of a test's own: empty at its start, kept nowhere, gone with the test."""

import signal
import subprocess
import time
from pathlib import Path

import redis

from tests.ports import free_port


class OwnRedis:
    """A redis-server on a free port of this machine; `url` is its address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> "OwnRedis":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.resume()
        self.stop()

    @property
    def client(self) -> redis.Redis:
        """Return a client; close it."""
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([*command, "--dir", str(self._folder)], stdout=subprocess.DEVNULL)
        for _ in range(500):
            with self.client as client:
                try:
                    client.ping()
                except redis.RedisError:
                    time.sleep(0.01)
                else:
                    return
        raise TimeoutError("Redis did not start.")

    def pause(self) -> None:
        """Let it hang: connections stay, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, with all that it knew."""
        self.process.kill()
        self.process.wait()

    def empty(self) -> None:
        """Let it forget everything."""
        with self.client as client:
            client.flushall()
