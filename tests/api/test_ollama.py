"""The Ollama doors, from outside: a whole proxx before a simulated provider."""

import gzip
import json

import ollama
import pytest

from tests.live import LiveProxx, running

# Of a provider of the same dialect, whose bytes pass, and of one of another.
MODELS = ["ollama/sim-echo", "openai/sim-echo", "gemini/sim-echo"]
MODEL = MODELS[0]
DEEP = b'{"model": "nobody", "deep": ' + b"[" * 5000 + b"]" * 5000 + b"}"
ASK = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    """A server that knows an Ollama and a Gemini, and lists three models."""
    env = {"OLLAMA_BASE_URL": module_provider.origin, "PROXY_MODELS": "sim-echo,qwen3:8b,claude-opus-4-5"}
    env |= {"GEMINI_BASE_URL": module_provider.gemini_url, "GEMINI_API_KEY": "sk-sim-1"}
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider, env=env) as started:
        yield started


def ask(proxx: LiveProxx, method, path, body=None, headers=None):
    status, answered, raw = proxx.request(method, path, body, headers)
    kind = answered["content-type"].partition(";")[0]
    pieces = raw.splitlines() if "ndjson" in kind else [raw]
    return status, kind, [json.loads(piece) for piece in pieces]


def text(lines, form="message"):
    return "".join(line["message"]["content"] if form == "message" else line[form] for line in lines)


@pytest.mark.parametrize("model", MODELS)
def test_a_chat_is_a_stream_of_lines_unless_told_otherwise(proxx: LiveProxx, model):
    """D115."""
    said = {**ASK, "model": model}
    status, kind, lines = ask(proxx, "POST", "/api/chat", said)
    assert (status, kind) == (200, "application/x-ndjson")
    assert len(lines) > 1
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    whole = ask(proxx, "POST", "/api/chat", {**said, "stream": False})
    assert (whole[0], whole[1], text(whole[2])) == (200, "application/json", text(lines))
    assert whole[2][0]["eval_count"] > 0


@pytest.mark.parametrize("model", MODELS)
def test_generate_answers_in_its_own_form(proxx: LiveProxx, model):
    status, _, lines = ask(proxx, "POST", "/api/generate", {"model": model, "prompt": "hello"})
    assert status == 200
    assert "hello" in text(lines, "response")
    assert lines[-1]["done_reason"] == "stop"


def test_a_model_is_shown_to_those_who_ask_compressed(proxx: LiveProxx):
    """D185."""
    body = gzip.compress(b'{"model": "sim-echo"}')
    status, _, (shown,) = ask(proxx, "POST", "/api/show", body, {"content-encoding": "gzip"})
    assert (status, "completion" in shown["capabilities"]) == (200, True)


def test_models_are_listed_and_shown_with_what_editors_gate_on(proxx: LiveProxx):
    """D175."""
    (listed,) = ask(proxx, "GET", "/api/tags")[2]
    assert {"sim-echo", "qwen3:8b", "claude-opus-4-5"} <= {model["name"] for model in listed["models"]}
    for model in listed["models"]:
        assert {"name", "model", "modified_at", "size", "digest", "details"} <= set(model)
    for body in ({"model": "sim-echo"}, {"name": "sim-echo"}, {"model": "SIM-ECHO:latest"}):
        status, _, (shown,) = ask(proxx, "POST", "/api/show", body)
        assert status == 200
        assert {"completion", "tools"} <= set(shown["capabilities"])
    (shown,) = ask(proxx, "POST", "/api/show", {"model": "claude-opus-4-5"})[2]
    assert {"vision", "thinking"} <= set(shown["capabilities"])
    assert shown["model_info"]["claude.context_length"] == 200_000
    assert ask(proxx, "POST", "/api/show", {"model": "qwen3:8b"})[2][0]["details"]["parameter_size"] == "8B"


def test_the_version_is_a_number_that_editors_take_and_needs_no_key(proxx: LiveProxx):
    """D175."""
    status, _, (told,) = ask(proxx, "GET", "/api/version", headers={"authorization": ""})
    assert (status, tuple(map(int, told["version"].split("."))) >= (0, 6, 4)) == (200, True)
    assert ask(proxx, "GET", "/api/ps")[2] == [{"models": []}]
    for path in ("/api/version", "/api/tags", "/"):
        assert proxx.request("HEAD", path)[::2] == (200, b"")


def test_the_bare_address_answers_probing_clients_and_sends_browsers_to_the_console(proxx: LiveProxx):
    assert proxx.request("GET", "/")[::2] == (200, b"Ollama is running")
    assert proxx.request("GET", "/", headers={"accept": "text/html"})[0] == 302


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "words"),
    [
        ("/api/show", {"model": "nobody"}, {}, 404, "model 'nobody' not found"),
        ("/api/chat", {**ASK, "model": "ollama/nobody"}, {}, 404, "not found"),
        ("/api/show", {}, {}, 400, "model"),
        ("/api/show", [], {}, 400, "object"),
        ("/api/show", DEEP, {}, 400, "object"),
        ("/api/chat", {"messages": []}, {}, 400, "model"),
        ("/api/chat", {"model": MODEL, "messages": [{"role": "user", "content": []}]}, {}, 400, "content"),
        ("/api/chat", ASK, {"authorization": "Bearer wrong"}, 401, ""),
        ("/api/tags", None, {"authorization": ""}, 401, ""),
    ],
)
def test_errors_are_in_ollamas_own_words(proxx: LiveProxx, path, body, headers, status, words):
    """D150."""
    got, _, (told,) = ask(proxx, "GET" if body is None else "POST", path, body, headers)
    assert (got, list(told)) == (status, ["error"])
    assert words in told["error"]


# The official client, unmodified.


@pytest.fixture
def client(proxx: LiveProxx):
    """The `ollama` package, which sends a key only if it is told to."""
    with ollama.Client(host=proxx.origin, headers={"authorization": f"Bearer {proxx.token}"}) as client:
        yield client


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.mark.parametrize("model", MODELS)
def test_the_official_client_chats_and_generates(client, model):
    whole = client.chat(model, [{"role": "user", "content": "hello"}])
    streamed = list(client.chat(model, [{"role": "user", "content": "hello"}], stream=True))
    assert "".join(part.message.content for part in streamed) == whole.message.content
    assert (streamed[-1].done, whole.done_reason) == (True, "stop")
    assert whole.eval_count > 0
    told = list(client.generate(model, "hello", stream=True))
    assert "hello" in "".join(part.response for part in told)


@pytest.mark.parametrize("model", ["ollama/sim-tools", "gemini/sim-tools"])
@pytest.mark.parametrize("stream", [True, False])
def test_the_official_client_gets_its_tools_called(client, model, stream):
    question = {"role": "user", "content": "How is the weather in Paris?"}
    answer = client.chat(model, [question], tools=[WEATHER], stream=stream)
    parts = list(answer) if stream else [answer]
    (call,) = [call for part in parts for call in part.message.tool_calls or ()]
    assert call.function.name == "get_weather"
    assert isinstance(call.function.arguments["city"], str)
    told = {"role": "assistant", "content": "", "tool_calls": [call.model_dump()]}
    result = {"role": "tool", "tool_name": "get_weather", "content": "sunny"}
    assert client.chat(model, [question, told, result], tools=[WEATHER]).message.content


def test_the_official_client_lists_shows_and_raises(client):
    assert "sim-echo" in [model.model for model in client.list().models]
    assert client.show("claude-opus-4-5").modelinfo["claude.context_length"] == 200_000
    assert list(client.ps().models) == []
    with pytest.raises(ollama.ResponseError) as caught:
        client.show("nobody")
    assert (caught.value.status_code, caught.value.error) == (404, "model 'nobody' not found")
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat("gemini/sim-echo", [{"role": "user", "content": "x"}], options={"stop": 3})
    assert caught.value.status_code == 400
