"""Odd requests and odd answers, end to end, where the whole way matters."""

import json

import pytest

from tests.clients.asking import CLIENTS, upstream
from tests.clients.talk import Talk, Tool, User
from tests.live import LiveProxx
from tests.protocols.edge_cases.answers import whole
from tests.protocols.edge_cases.canned import Canned, Said
from tests.protocols.matrix.cell import MODELS, Cell
from tests.upstreams.script import finish, report_usage, say, think

WAYS = pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])


@WAYS
@pytest.mark.parametrize("client", CLIENTS)
def test_a_call_that_a_model_only_wrote_down_is_text(proxx: LiveProxx, client: str, streams: bool) -> None:
    """D13."""
    written = '<tool_call>{"name": "weather", "arguments": {"city": "Oslo"}}</tool_call>'
    heard = Cell(proxx, client, "openai_chat", streams).ask(Talk(tools=(Tool(),)), say(written))
    assert (heard.text, heard.calls) == (written, [])


@WAYS
@pytest.mark.parametrize("to", [name for name in CLIENTS if name != "ollama"])
@pytest.mark.parametrize("client", CLIENTS)
def test_thinking_that_used_up_the_limit_says_so(proxx: LiveProxx, client: str, to: str, streams: bool) -> None:
    """D100."""
    cell = Cell(proxx, client, to, streams)
    counted = report_usage(input=10, output=64, reasoning=64)
    heard = cell.ask(Talk(effort="high", limit=30_000), think("Much to think about"), counted, finish("length"))
    assert (heard.text, heard.finish) == ("", cell.finish("length"))
    if client != "ollama":
        assert heard.usage["reasoning"] == 64


@pytest.mark.parametrize("client", CLIENTS)
def test_twenty_megabytes_of_a_request_pass(proxx: LiveProxx, canned: Canned, client: str) -> None:
    """D182."""
    to = "anthropic" if client != "anthropic" else "gemini"
    canned.says(Said(whole(to)))
    talk = Talk(turns=(User("x" * 20_000_000),))
    status, answer = Cell(proxx, client, to, streams=False).answer(talk, model="m", provider=f"raw-{to}")
    assert status == 200, answer
    assert len(canned.asked[0].body) > 20_000_000


def test_googles_clients_may_put_key_and_model_into_the_address(proxx: LiveProxx, canned: Canned) -> None:
    """D176."""
    canned.says(Said(whole("gemini")))
    path = f"/v1beta/models/raw-gemini/m:generateContent?key={proxx.token}"
    body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    status, _, answer = proxx.request("POST", path, body, {"authorization": "", "x-goog-api-key": proxx.token})
    assert status == 200, answer
    asked = canned.asked[0]
    assert asked.path == "/v1beta/models/m:generateContent"
    assert proxx.token not in str(asked.headers) + asked.body.decode()
    assert asked.headers["x-goog-api-key"] == "sk-raw"
    assert proxx.token not in proxx.log


@pytest.mark.parametrize("dialect", CLIENTS)
def test_tokens_are_counted_for_every_upstream(proxx: LiveProxx, dialect: str) -> None:
    """D129."""
    model = upstream(dialect, MODELS[dialect])
    asked = {"model": model, "messages": [{"role": "user", "content": "Hello there, how are you?"}]}
    status, _, answer = proxx.request("POST", "/v1/messages/count_tokens?beta=true", asked)
    assert status == 200, answer
    assert b'"input_tokens":' in answer.replace(b" ", b"")


def test_models_are_listed_in_the_askers_shape(proxx: LiveProxx) -> None:
    """D179."""
    shapes = {
        ("/v1/models", ""): {"object", "data"},
        ("/v1/models", "2023-06-01"): {"data", "has_more", "first_id", "last_id"},
        ("/v1beta/models", ""): {"models"},
        ("/api/tags", ""): {"models"},
    }
    for (path, version), members in shapes.items():
        headers = {"anthropic-version": version} if version else {}
        status, _, answer = proxx.request("GET", path, None, headers)
        assert status == 200, path
        assert members <= set(json.loads(answer)), path
