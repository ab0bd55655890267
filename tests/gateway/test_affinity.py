"""A conversation stays with one account, in every process; when that account is exhausted it moves once."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.script import FOREVER
from tests.upstreams.server import SimulatedProvider

EIGHT = {
    "PROXY_KEYS_JSON": json.dumps({"providers": {"openai": [f"sk-sim-{number}" for number in range(1, 9)]}}),
    "OPENAI_API_KEY": "",
}


@pytest.fixture
def several(start_proxx, provider: SimulatedProvider, tmp_path: Path) -> Iterator[Any]:
    """Start so many processes on one database, with eight accounts."""
    with ExitStack() as stack:

        def start(count: int, **options: Any) -> list[LiveProxx]:
            first = start_proxx(env=EIGHT, **options)
            others = [
                LiveProxx(tmp_path / f"other-{number}", first.database, provider, "daphne", EIGHT)
                for number in range(1, count)
            ]
            for one in others:
                one.folder.mkdir()
                one.environment["PROXY_DATA_DIR"] = str(first.folder)
                stack.callback(one.stop)
                one.start()
            return [first, *others]

        yield start


class Conversation:
    """Turns of one conversation, each as long as all before it, sent to one process after another."""

    def __init__(self, proxies: list[LiveProxx], question: str, **fields: Any) -> None:
        self._proxies, self._fields, self._turns = proxies, fields, 0
        self._messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]

    def turn(self, headers: dict[str, str] | None = None) -> None:
        proxx = self._proxies[self._turns % len(self._proxies)]
        self._turns += 1
        body = {"model": "gpt-x", "messages": self._messages, **self._fields}
        status, _, answer = proxx.request("POST", "/v1/chat/completions", body, headers)
        assert status == 200
        said = json.loads(answer)["choices"][0]["message"]["content"]
        self._messages += [{"role": "assistant", "content": said}, {"role": "user", "content": f"{self._turns}?"}]


def answering(provider: SimulatedProvider) -> list[str]:
    good = [entry for entry in provider.journal if entry.status == 200]
    return [str(entry.header("authorization")).removeprefix("Bearer ") for entry in good]


@pytest.mark.parametrize("real", [False, pytest.param(True, marks=pytest.mark.real)], ids=["alone", "with Redis"])
def test_a_conversation_stays_in_four_processes_and_moves_once(several, provider: SimulatedProvider, real) -> None:
    proxies = several(4, real=real)
    talk = Conversation(proxies, "Why is the sky blue?")
    for _ in range(20):
        talk.turn()
    ((home, turns),) = Counter(answering(provider)).most_common(1)
    assert turns >= 19
    provider.script(key=home, times=FOREVER, fault="429", retry_after=120.0)
    provider.journal.clear()
    for _ in range(20):
        talk.turn()
    assert len(set(answering(provider))) == 1
    assert home not in answering(provider)
    # Each process finds out for itself, once, or hears of it before.
    assert 20 < len(provider.journal) <= 20 + len(proxies)


@pytest.mark.parametrize("named", [{"prompt_cache_key": "mine"}, {"user": "me"}, {"metadata": {"user_id": "me"}}, {}])
def test_what_the_client_calls_its_conversation_counts(live_proxx_with_eight, provider, named) -> None:
    headers = {} if named else {"session_id": "mine", "x-other": "1"}
    for number in range(12):
        Conversation([live_proxx_with_eight], f"Question {number}", **named).turn(headers)
    assert len(set(answering(provider))) == 1


@pytest.fixture
def live_proxx_with_eight(start_proxx) -> LiveProxx:
    return start_proxx(env=EIGHT)


def test_other_conversations_go_elsewhere(live_proxx_with_eight: LiveProxx, provider: SimulatedProvider) -> None:
    for number in range(32):
        Conversation([live_proxx_with_eight], f"Question {number}").turn()
    assert len(set(answering(provider))) >= 4


@pytest.mark.real
def test_a_move_is_known_in_the_other_process(several, provider: SimulatedProvider) -> None:
    first, second = several(2, real=True)
    talk = Conversation([first], "Why?", prompt_cache_key="shared")
    talk.turn()
    (home,) = answering(provider)
    provider.script(key=home, times=FOREVER, fault="429", retry_after=120.0)
    for _ in range(2):
        talk.turn()
    moved = answering(provider)[-1]
    provider.reset()

    def follows() -> bool:
        provider.journal.clear()
        Conversation([second], "Other words", prompt_cache_key="shared").turn()
        return answering(provider) == [moved]

    until(follows, seconds=5)
    assert moved != home


def test_the_fastest_account_is_found_by_measuring(start_proxx, provider: SimulatedProvider) -> None:
    proxx: LiveProxx = start_proxx(env={**EIGHT, "PROXY_KEYS_JSON": TWO})
    proxx.run(
        "from routing.models import ProviderSetting\n"
        "ProviderSetting.objects.update_or_create(provider_id='openai', defaults={'strategy': 'fastest'})"
    )
    assert "by fastest" in proxx.manage("explain_route", "gpt-x")
    until(lambda: _led_by_the_quick(proxx, provider), seconds=20)


TWO = json.dumps({"providers": {"openai": ["sk-sim-fault-slow-start", "sk-sim-quick"]}})


def _led_by_the_quick(proxx: LiveProxx, provider: SimulatedProvider) -> bool:
    provider.journal.clear()
    for _ in range(8):
        proxx.chat("gpt-x", stream=True)
    return answering(provider).count("sk-sim-quick") >= 6
