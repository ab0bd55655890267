"""Turns that the provider pauses, for clients that know no pauses: one answer, whoever asked on (D55)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.asking import CLIENTS, five_upstreams, upstream
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix.cell import MODELS
from tests.until import until
from tests.upstreams.script import fail, finish, report_usage, say, search, think
from tests.upstreams.server import SimulatedProvider

MODEL = MODELS["anthropic"]
NAME = upstream("anthropic", MODEL)
SEARCH = search("Oslo weather", [("Oslo", "https://oslo.example")])
PAUSED = (SEARCH, say("I found one page. "), report_usage(input=10, output=4), finish("pause"))
LAST = (say("It is sunny."), report_usage(input=20, output=3))
USER = [{"role": "user", "content": "Weather in Oslo?"}]


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider
) -> Iterator[LiveProxx]:
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider) as started:
        five_upstreams(started)
        yield started


@pytest.fixture(autouse=True)
def fresh_scripts(module_provider: SimulatedProvider) -> None:
    module_provider.reset()


def ask(proxx: LiveProxx, client: str, *, stream: bool) -> tuple[dict[str, str], Any]:
    asked: dict[str, Any] = {"model": NAME}
    if stream:
        asked["stream"] = True
    if client == "openai_chat":
        asked |= {"messages": USER, "web_search_options": {}, "stream_options": {"include_usage": True}}
        path = "/v1/chat/completions"
        asked = asked if stream else {key: value for key, value in asked.items() if key != "stream_options"}
    else:
        asked |= {"input": USER, "tools": [{"type": "web_search"}], "store": False}
        path = "/v1/responses"
    status, headers, answer = proxx.request("POST", path, asked)
    assert status == 200, answer
    return headers, CLIENTS[client].stream(answer) if stream else CLIENTS[client].whole(answer)


def scripted(proxx: LiveProxx, *answers: tuple[Any, ...]) -> None:
    for steps in answers:
        proxx.provider.script(*steps, model=MODEL)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", ["openai_chat", "openai_responses"])
def test_a_paused_turn_is_continued_as_one_answer(proxx: LiveProxx, client: str, stream: bool) -> None:
    """D55."""
    scripted(proxx, PAUSED, LAST)
    _, heard = ask(proxx, client, stream=stream)
    assert heard.text.replace("\n\n", "") == "I found one page. It is sunny."
    assert heard.finish in ("stop", "completed")
    assert (heard.usage["input"], heard.usage["output"]) == (30, 7)
    turns = proxx.provider.journal.last.json["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"]
    assert [block["type"] for block in turns[1]["content"]] == ["server_tool_use", "web_search_tool_result", "text"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_turn_that_pauses_for_ever_is_cut_off_with_a_warning(proxx: LiveProxx, stream: bool) -> None:
    """D55."""
    scripted(proxx, *[PAUSED] * 7)
    headers, heard = ask(proxx, "openai_chat", stream=stream)
    assert len(proxx.provider.journal) == 6
    assert heard.finish == "length"
    assert heard.usage["input"] == 60
    if not stream:
        assert "pause_turn;" in headers["x-proxx-warnings"]
    newest = "SELECT warnings FROM analytics_requestlog ORDER BY id DESC LIMIT 1"
    until(lambda: any("pause_turn" in json.dumps(row) for row in proxx.rows(newest)), seconds=10)


@pytest.mark.parametrize("stream", [False, True])
def test_a_refused_continuation_leaves_what_was_said(proxx: LiveProxx, stream: bool) -> None:
    """D55."""
    scripted(proxx, PAUSED, (fail("500"),))
    _, heard = ask(proxx, "openai_chat", stream=stream)
    assert heard.text.startswith("I found one page.")
    assert heard.finish == "length"


def test_thoughts_are_sent_back_with_their_seal(proxx: LiveProxx) -> None:
    """D55."""
    scripted(proxx, (think("Let me look."), *PAUSED), LAST)
    asked = {"model": NAME, "input": USER, "tools": [{"type": "web_search"}], "store": False}
    status, _, answer = proxx.request("POST", "/v1/responses", {**asked, "reasoning": {"effort": "low"}})
    assert status == 200, answer
    first = proxx.provider.journal.last.json["messages"][1]["content"][0]
    assert (first["type"], first["thinking"]) == ("thinking", "Let me look.")
    assert first["signature"]


def test_a_client_that_knows_pauses_sees_them(proxx: LiveProxx) -> None:
    """D55."""
    scripted(proxx, PAUSED)
    tool = {"type": "web_search_20250305", "name": "web_search"}
    asked = {"model": NAME, "max_tokens": 100, "messages": USER, "tools": [tool]}
    status, _, answer = proxx.request("POST", "/v1/messages", asked)
    assert (status, json.loads(answer)["stop_reason"]) == (200, "pause_turn")
    assert len(proxx.provider.journal) == 1
