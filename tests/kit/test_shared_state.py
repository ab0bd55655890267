"""Six verbs over Redis or a dictionary; a Redis that is away costs a quarter of a second, once."""

import os
import queue
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from proxx.kit import clock as clocks
from proxx.kit import shared_state
from tests import forked
from tests.until import until


@pytest.fixture(params=["dictionary", pytest.param("redis", marks=pytest.mark.real)])
def state(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """Both kinds of state, under names of the test's own."""
    settings.REDIS_URL = os.environ["REDIS_URL_TEST"] if request.param == "redis" else ""
    shared_state.close()
    yield f"test-{os.getpid()}-{request.node.name}"
    shared_state.close()


def test_a_value_is_kept_and_forgotten(state: str) -> None:
    assert shared_state.get(state) is None
    shared_state.put(state, b"\x00value", seconds=60)
    assert shared_state.get(state) == b"\x00value"
    shared_state.forget(state)
    assert shared_state.get(state) is None


def test_counting_begins_at_nothing_and_takes_steps(state: str) -> None:
    assert shared_state.count(state, seconds=60) == 1
    assert shared_state.count(state, 5, seconds=60) == 6
    shared_state.forget(state)


def test_a_message_reaches_each_listener_once_and_none_that_stopped(state: str) -> None:
    heard: queue.Queue[bytes] = queue.Queue()
    listening, stopped = shared_state.listen(state, heard.put), shared_state.listen(state, heard.put)
    stopped.stop()
    shared_state.publish(state, b"hello")
    assert heard.get(timeout=5) == b"hello"
    listening.stop()
    shared_state.publish(state, b"nobody")
    assert heard.empty()


def test_in_the_dictionary_values_and_windows_end(settings: Any, clock: clocks.Stopped) -> None:
    settings.REDIS_URL = ""
    shared_state.close()
    shared_state.put("a", b"1", seconds=10)
    shared_state.count("n", seconds=10)
    clock.advance(6)
    assert shared_state.count("n", seconds=10) == 2
    clock.advance(5)
    assert shared_state.get("a") is None
    assert shared_state.count("n", seconds=10) == 1


@pytest.mark.real
def test_messages_cross_from_another_process(own_redis: Any, settings: Any) -> None:
    settings.REDIS_URL = own_redis.url
    shared_state.close()
    heard: queue.Queue[bytes] = queue.Queue()
    listening = shared_state.listen("channel", heard.put)
    other = shared_state.SENDER[::-1] + b"from afar"
    client = shared_state._client()
    for _ in range(500):
        if client.publish(shared_state.name_of("channel"), other):
            break
        time.sleep(0.01)
    assert heard.get(timeout=5) == b"from afar"
    listening.stop()
    shared_state.close()


@pytest.mark.real
def test_installations_that_share_a_redis_neither_read_nor_hear_each_other(own_redis: Any, settings: Any) -> None:
    settings.REDIS_URL = own_redis.url
    shared_state.close()
    heard: queue.Queue[bytes] = queue.Queue()
    listening = shared_state.listen("channel", heard.put)
    ours = shared_state.name_of("channel")
    client = shared_state._client()
    until(lambda: client.pubsub_numsub(ours)[0][1] == 1, seconds=5)
    shared_state.put("name", b"ours", seconds=60)
    settings.REDIS_PREFIX = "another"
    assert shared_state.get("name") is None
    theirs = shared_state.SENDER[::-1]
    client.publish(shared_state.name_of("channel"), theirs + b"not for us")
    client.publish(ours, theirs + b"for us")
    assert heard.get(timeout=5) == b"for us"
    listening.stop()
    shared_state.close()


@pytest.mark.parametrize(
    ("environment", "prefix"),
    [
        ({"REDIS_URL": "redis://127.0.0.1:6379"}, "proxx"),
        ({"REDIS_URL": "redis://127.0.0.1:6379/0"}, "proxx"),
        ({"REDIS_URL": "rediss://:secret@cache.example:6379/3?x=1"}, "proxx-3"),
        ({"REDIS_URL": "unix:///run/redis7.sock"}, "proxx"),
        ({"REDIS_URL": "redis://127.0.0.1:6379/3", "PROXY_REDIS_PREFIX": "mine"}, "mine"),
    ],
)
def test_the_number_of_a_database_is_part_of_every_name_there(environment: dict[str, str], prefix: str) -> None:
    code = "from django.conf import settings; print(settings.REDIS_PREFIX)"
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "proxx.settings.test", **environment}
    done = forked.run("-c", code, env=env)
    assert done.stdout.strip() == prefix, done.stderr


@pytest.mark.real
def test_a_paused_redis_costs_little_and_is_not_asked_again_at_once(own_redis: Any, settings: Any) -> None:
    settings.REDIS_URL, process = own_redis.url, own_redis.process
    shared_state.close()
    shared_state.put("a", b"1", seconds=60)
    process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert shared_state.get("a") is None
    first = time.monotonic() - began
    for _ in range(100):
        assert shared_state.get("a") is None
        shared_state.publish("channel", b"x")
    assert first < 0.6
    assert time.monotonic() - began - first < 0.1
    process.send_signal(signal.SIGCONT)
    shared_state.close()
    assert shared_state.get("a") == b"1"
