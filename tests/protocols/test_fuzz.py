"""Spoiled requests get a clear refusal, whatever was spoiled and whichever upstream would have served them.

`PROXX_TEST_FUZZ` sets how many requests each dialect gets (400); the summary says how many reached the provider.
"""

import http.client
import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.clients.asking import CLIENTS, five_upstreams, upstream
from tests.clients.talk import PDF, PNG, WEATHER_SCHEMA, Results, Said, Talk, Tool, User
from tests.live import LiveProxx
from tests.protocols.matrix.cell import MODELS
from tests.protocols.mutations import mutated

COUNT = int(os.environ.get("PROXX_TEST_FUZZ", "400"))
THREADS = 4
TALK = Talk(
    turns=(
        User("Look at this", images=(PNG,), documents=(PDF,)),
        Said("Let me see.", (("call_1", "weather", {"city": "Oslo"}),)),
        Results((("call_1", "weather", "Sunny"),)),
        User("And now?"),
    ),
    system="Be brief.",
    tools=(Tool(),),
    choice="auto",
    effort="low",
    limit=4000,
)
# Without the document, so that Ollama can be asked, too; and with wishes that cannot all be made at once.
TALKS = (
    TALK,
    replace(TALK, turns=(User("Look at this", images=(PNG,)), *TALK.turns[1:])),
    replace(TALK, turns=(User("Hello"),), choice="weather", stop=("a", "b"), temperature=0.5, parallel=False),
    replace(TALK, turns=(User("Hello"),), schema=WEATHER_SCHEMA, choice="", effort="", tools=()),
)


@pytest.fixture(scope="module")
def proxx(module_proxx: LiveProxx) -> Iterator[LiveProxx]:
    five_upstreams(module_proxx)
    return module_proxx


@pytest.mark.parametrize("client", CLIENTS)
def test_no_spoiled_request_is_answered_with_a_fault_of_ours(
    proxx: LiveProxx, client: str, record_property: Any
) -> None:
    proxx.provider.reset()
    with ThreadPoolExecutor(THREADS) as pool:
        told = list(pool.map(lambda part: _ask(proxx, client, part), range(THREADS)))
    statuses, faults = sum((one for one, _ in told), Counter()), [fault for _, some in told for fault in some]
    record_property("fuzz", f"{client}: {sum(statuses.values())} sent, {len(proxx.provider.journal)} reached it")
    # Ollama says 500 to an option of the wrong type, and so does the simulated one: that is its fault, told as 502.
    theirs = sum((entry.status or 0) >= 500 for entry in proxx.provider.journal)
    passed_on = [fault for fault in faults if fault[0] == 502][:theirs]
    faults = [fault for fault in faults if fault not in passed_on]
    assert not faults, "\n\n".join(f"{status} {asked!r}\n{said!r}" for status, asked, said in faults[:5])
    assert statuses[200] > 0
    assert statuses[400] > 0


def _ask(proxx: LiveProxx, client: str, part: int) -> tuple[Counter[int], list[tuple[int, bytes, bytes]]]:
    chance = random.Random(f"{client}-{part}")
    module, statuses = CLIENTS[client], Counter[int]()
    faults: list[tuple[int, bytes, bytes]] = []
    headers = {
        "authorization": f"Bearer {proxx.token}",
        "content-type": "application/json",
        **getattr(module, "HEADERS", {}),
    }
    connection = http.client.HTTPConnection("127.0.0.1", proxx.port, timeout=30)
    for number in range(COUNT // THREADS):
        dialect = chance.choice(list(CLIENTS))
        talk = replace(chance.choice(TALKS), model=upstream(dialect, MODELS[dialect]), stream=bool(number % 2))
        body = mutated(module.body(talk), chance)
        connection.request("POST", module.path(talk), body, headers)
        answer = connection.getresponse()
        said = answer.read()
        statuses[answer.status] += 1
        if answer.status >= 500:
            faults.append((answer.status, body, said[:500]))
    connection.close()
    return statuses, faults
