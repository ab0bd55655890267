"""One chat completion through the whole house: what the client gets is what the provider said."""

import json

import pytest

from tests.live import LiveProxx
from tests.upstreams.server import SimulatedProvider

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


pytestmark = pytest.mark.parametrize("module_proxx", ["daphne", "uvicorn"], indirect=True)


def test_a_whole_answer_arrives_in_the_providers_bytes(module_proxx: LiveProxx, module_provider: SimulatedProvider):
    status, headers, body = module_proxx.chat("gpt-x")
    assert status == 200
    assert body == bytes(module_provider.journal.last.answer)
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"]
    assert headers["x-proxx-provider"] == "openai"


def test_the_providers_key_is_sent_and_never_the_clients(module_proxx: LiveProxx, module_provider: SimulatedProvider):
    module_proxx.chat("gpt-x")
    sent = module_provider.journal.last
    assert sent.header("authorization") == "Bearer sk-sim-1"
    assert module_proxx.token not in str(sent.headers)


def test_only_the_model_name_of_the_request_changes(module_proxx: LiveProxx, module_provider: SimulatedProvider):
    raw = b'{ "messages":[{"role":"user","content":"h\\u00e9"}], "seed": 12,  "model" : "openai/gpt-x" }'
    assert module_proxx.request("POST", "/v1/chat/completions", raw)[0] == 200
    assert module_provider.journal.last.body == raw.replace(b"openai/gpt-x", b"gpt-x")


@pytest.mark.parametrize("name", ["openai/gpt-x", "openai:gpt-x", "OpenAI/gpt-x", "gpt-x"])
def test_a_prefix_names_the_provider(module_proxx: LiveProxx, module_provider: SimulatedProvider, name):
    assert module_proxx.chat(name)[0] == 200
    assert module_provider.journal.last.json["model"] == "gpt-x"


@pytest.mark.parametrize("fault", ["", "sim-fault-one-byte", "sim-fault-crlf", "sim-fault-comments"])
def test_a_stream_that_asked_for_usage_arrives_byte_for_byte(module_proxx: LiveProxx, module_provider, fault):
    wishes = {"stream": True, "stream_options": {"include_usage": True}}
    status, headers, body = module_proxx.chat(fault or "gpt-x", **wishes)
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    assert body == bytes(module_provider.journal.last.answer)


@pytest.mark.parametrize("fault", ["", "sim-fault-one-byte"])
def test_usage_asked_on_the_clients_behalf_is_the_only_thing_missing(
    module_proxx: LiveProxx, module_provider: SimulatedProvider, fault
):
    _, _, body = module_proxx.chat(fault or "gpt-x", stream=True)
    said = bytes(module_provider.journal.last.answer)
    usage = [frame for frame in said.split(b"\n\n") if b'"choices":[]' in frame.replace(b" ", b"")]
    assert len(usage) == 1
    assert body == said.replace(usage[0] + b"\n\n", b"")
    assert module_provider.journal.last.json["stream_options"] == {"include_usage": True}


def test_the_official_client_gets_whole_and_streamed_answers(module_proxx: LiveProxx):
    messages = [{"role": "user", "content": "say it back"}]
    with module_proxx.openai() as client:
        whole = client.chat.completions.create(model="sim-echo", messages=messages)
        pieces = list(client.chat.completions.create(model="sim-echo", messages=messages, stream=True))
    streamed = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert whole.choices[0].message.content == streamed != ""
    assert whole.usage is not None


def test_the_official_client_completes_a_tool_loop(module_proxx: LiveProxx):
    messages = [{"role": "user", "content": "How is the weather?"}]
    with module_proxx.openai() as client:
        asked = client.chat.completions.create(model="sim-tools", messages=messages, tools=[TOOL])
        call = asked.choices[0].message.tool_calls[0]
        assert asked.choices[0].finish_reason == "tool_calls"
        messages += [asked.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
        with client.chat.completions.stream(model="sim-tools", messages=messages, tools=[TOOL]) as stream:
            final = stream.get_final_completion()
    assert "sunny" in final.choices[0].message.content


def test_models_are_listed_and_described_in_openais_shape(module_proxx: LiveProxx):
    with module_proxx.openai() as client:
        names = {model.id for model in client.models.list()}
        one = client.models.retrieve("gpt-x") if "gpt-x" in names else None
    assert one is None or one.owned_by == "openai"


def test_every_call_leaves_one_row_with_its_tokens_and_attempts(module_proxx: LiveProxx):
    status, headers, body = module_proxx.chat("sim-usage-10-5-4-2")
    assert status == 200
    identifier = headers["x-request-id"].replace("-", "")
    columns = "input_tokens, output_tokens, usage_state, outcome"
    query = f"SELECT {columns} FROM analytics_requestlog WHERE id = '{identifier}'"
    [row] = module_proxx.wait_for_rows(query, 1, seconds=2)
    assert row == (10, 5, "reported", "ok")
    assert json.loads(body)["usage"]["prompt_tokens"] == 10
