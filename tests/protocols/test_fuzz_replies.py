"""Whatever a provider answers, clients get an answer or an error of their own dialect, never a fault of ours.

`PROXX_TEST_FUZZ` sets how many answers of each dialect are spoiled (400). A failure names the number of the answer.
"""

import http.client
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.clients.asking import CLIENTS, five_upstreams, upstream
from tests.clients.talk import Talk, Tool, User
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix.cell import MODELS
from tests.protocols.spoiling_provider import Sound, sound_answers, spoiled_answer, spoiling_provider
from tests.upstreams.server import SimulatedProvider

COUNT = int(os.environ.get("PROXX_TEST_FUZZ", "400"))
THREADS = 4
OURS = (b"gateway failed", b"internal_error")
SETTINGS = {"PROXY_MAX_ATTEMPTS": "1", "PROXY_KEY_COOLDOWN_MS": "1", "UPSTREAM_TRANSIENT_RETRY_COUNT": "0"}


@pytest.fixture(scope="module")
def sound(module_provider: SimulatedProvider) -> Sound:
    return sound_answers(module_provider)


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider, sound: Sound
) -> Iterator[LiveProxx]:
    folder = tmp_path_factory.mktemp("proxx")
    with (
        spoiling_provider(sound) as origin,
        running(folder, templates, module_provider, env=SETTINGS) as started,
    ):
        five_upstreams(started, origin=origin)
        yield started


@pytest.mark.parametrize("dialect", CLIENTS)
def test_no_spoiled_answer_is_told_as_a_fault_of_ours(
    proxx: LiveProxx, sound: Sound, dialect: str, record_property: Any
) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        told = list(pool.map(lambda part: _ask(proxx, dialect, range(part, COUNT, THREADS)), range(THREADS)))
    statuses, faults = sum((one for one, _ in told), Counter()), [fault for _, some in told for fault in some]
    record_property("fuzz", f"{dialect}: {dict(statuses)}")
    assert not faults, "\n\n".join(_described(sound, dialect, *fault) for fault in faults[:5])
    assert statuses[200] > 0
    assert statuses[502] > 0
    assert sum(count for status, count in statuses.items() if status not in (200, 502)) < COUNT / 10


def _ask(
    proxx: LiveProxx, dialect: str, numbers: range
) -> tuple[Counter[int], list[tuple[str, int, bool, str, bytes]]]:
    statuses = Counter[int]()
    faults: list[tuple[str, int, bool, str, bytes]] = []
    connection = http.client.HTTPConnection("127.0.0.1", proxx.port, timeout=30)
    for number in numbers:
        chance = random.Random(f"asked-{dialect}-{number}")
        client, stream = chance.choice(list(CLIENTS)), chance.random() < 0.6
        module = CLIENTS[client]
        talk = Talk(
            model=upstream(dialect, MODELS[dialect]),
            turns=(User(f"This is number {number}."),),
            tools=(Tool(),),
            effort="low",
            limit=4000,
            stream=stream,
        )
        headers = {"authorization": f"Bearer {proxx.token}", "content-type": "application/json"}
        headers |= getattr(module, "HEADERS", {})
        try:
            connection.request("POST", module.path(talk), json.dumps(module.body(talk)), headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as fault:
            connection.close()
            faults.append((client, number, stream, f"{type(fault).__name__}: {fault}", b""))
            continue
        statuses[answer.status] += 1
        why = _fault(client, dialect, answer.status, said, stream=stream)
        if why:
            faults.append((client, number, stream, why, said))
    connection.close()
    return statuses, faults


def _fault(client: str, dialect: str, status: int, said: bytes, *, stream: bool) -> str:
    """Return what is wrong with an answer: bytes that passed are the provider's, all else must be sound."""
    module = CLIENTS[client]
    if status == 500 or any(words in said for words in OURS):
        return f"a fault of ours ({status})"
    try:
        if status != 200:
            module.error(said)
        elif client != dialect:
            module.stream(said) if stream else module.whole(said)
    except (AssertionError, ValueError, LookupError, TypeError, AttributeError) as fault:
        return f"{type(fault).__name__}: {fault} ({status})"
    return ""


def _described(sound: Sound, dialect: str, client: str, number: int, stream: bool, why: str, said: bytes) -> str:
    given = spoiled_answer(sound, dialect, number, stream=stream)
    return f"{client} <- {dialect} {number}: {why}\n{given[:4000]!r}\n{said[:4000]!r}"
