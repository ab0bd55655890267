"""What is written here is taken by a provider that was written without us, and what it answers is read."""

import json

import pytest

from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Blob, Image, Reasoning, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.reply import Reply, fold
from proxx.protocols.hub.request import OutputWish, ReasoningWish, Request, Sampling, ToolChoice, ToolRef, ToolSpec
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_responses.read_reply import ReplyReader, read_whole, watch_whole
from proxx.protocols.openai_responses.write_request import write_request
from tests.protocols.openai_responses.bodies import call, foreign, message, output, request
from tests.upstreams.posting import PNG, send
from tests.upstreams.script import call_tool, finish, refuse, report_usage, say, search, think, together
from tests.upstreams.server import SimulatedProvider

PLATFORM = Target("openai", "gpt-x", "openai_responses", facts=facts_of("gpt-5.1"))
CODEX = Target("codex", "gpt-x", "openai_responses", frozenset({"codex_backend"}), facts_of("gpt-5.1"))
IMITATOR = Target("imitator", "gpt-x", "openai_responses", facts=facts_of("gpt-5.1"))
PATHS = {"openai": "/v1/responses", "codex": "/backend-api/codex/responses", "imitator": "/openai/v1/responses"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"type": "function", "name": "g", "parameters": SCHEMA, "strict": False}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}
HISTORY = (
    Turn("user", (Text("go"), Image(data=PNG, media_type="image/png"))),
    Turn(
        "assistant", (Reasoning("hm"), Text("I look"), ToolCall("c1", "f", '{"city":"Oslo"}'), ToolCall("c2", "f", ""))
    ),
    Turn("user", (ToolResult("c2", (Text("warm"),)), ToolResult("c1", (Text("no"),), is_error=True), Text("and?"))),
)
ASKED = (
    foreign(*HISTORY, tools=(ToolSpec("function", "f", "anthropic", schema=SCHEMA),), max_output=1),
    foreign(
        instructions=(Turn("system", (Text("s"),)), Turn("developer", (Text("d"),))),
        tools=(ToolSpec("function", "a.b/c", "openai_chat"), ToolSpec("web_search", "web_search", "openai_chat")),
        tool_choice=ToolChoice("named", (ToolRef("a.b/c"),)),
        parallel=False,
        reasoning=ReasoningWish("xhigh", show="summary"),
        sampling=Sampling(temperature=0.5, top_k=1, stop=("x",)),
        user_id="u" * 80,
    ),
    foreign(output=OutputWish("json", verbosity="low"), dialect="gemini"),
    foreign(output=OutputWish("schema", SCHEMA, "n", strict=True), tool_choice=ToolChoice("auto"), dialect="ollama"),
    request(
        message("developer", "d"),
        message("user", "u"),
        call("c1", "g", id="fc_1", namespace="n"),
        output("c1", [{"type": "input_text", "text": "x"}]),
        tools=[
            {"type": "namespace", "name": "n", "description": "d", "tools": [FUNCTION]},
            {"type": "custom", "name": "p", "format": GRAMMAR},
            {"type": "web_search"},
        ],
        include=["reasoning.encrypted_content"],
        store=False,
        metadata={"a": "b"},
        truncation="disabled",
    ),
)  # fmt: skip


def answered(provider: SimulatedProvider, asked: Request, target: Target) -> Reply:
    """Ask as the gateway would; read the answer as a stream or whole, as it comes."""
    written = write_request(asked, target, Losses())
    account = {"chatgpt_account_id": "a"} if target is CODEX else {}
    said = send(provider, "POST", PATHS[target.provider], written.body, authorization="Bearer sk-sim-1", **account)
    assert said.status == 200, said.body
    if said.body.startswith((b"event:", b"data:")):
        reader = ReplyReader(target, "id")
        return fold([event for byte in said.body for event in reader.feed(bytes([byte]))] + reader.close())
    seen = watch_whole(said.body)
    assert (seen.error, seen.malformed) == (None, "")
    return read_whole(said.body, target, "id")


@pytest.mark.parametrize("target", [PLATFORM, CODEX, IMITATOR], ids=lambda target: target.provider)
@pytest.mark.parametrize("asked", ASKED)
def test_every_request_is_taken(provider: SimulatedProvider, asked: Request, target: Target) -> None:
    reply = answered(provider, asked, target)
    assert reply.choices[0].parts
    assert reply.usage is not None


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("target", [PLATFORM, CODEX], ids=lambda target: target.provider)
def test_answers_of_every_kind_are_read(provider: SimulatedProvider, target: Target, stream: bool) -> None:
    provider.script(
        think("hm"), search("q"), say("Hello"),
        together(call_tool("f", {"city": "Oslo"}), call_tool("f", {"city": "Rome"})),
        report_usage(input=9, output=5, cached=4, reasoning=2), finish("tools"),
    )  # fmt: skip
    tools = (ToolSpec("function", "f", "anthropic", schema=SCHEMA), ToolSpec("web_search", "web_search", "anthropic"))
    asked = foreign(tools=tools, stream=stream, reasoning=ReasoningWish("high", show="summary"))
    reply = answered(provider, asked, target)
    parts = reply.choices[0].parts
    assert [type(part).__name__ for part in parts] == ["Reasoning", "Hosted", "Text", "ToolCall", "ToolCall"]
    assert isinstance(parts[0], Reasoning)
    assert parts[0].blob is not None
    assert [json.loads(part.args) for part in parts if isinstance(part, ToolCall)] == [
        {"city": "Oslo"},
        {"city": "Rome"},
    ]
    assert reply.choices[0].finish.reason == "tool_calls"
    assert reply.usage is not None
    assert (reply.usage.input_total, reply.usage.output_total, reply.usage.cache_read) == (9, 5, 4)


def test_sealed_reasoning_goes_back_to_the_account_that_made_it(provider: SimulatedProvider) -> None:
    """D91, D93."""
    tools = (ToolSpec("function", "f", "anthropic", schema=SCHEMA),)
    for target in (PLATFORM, CODEX):
        provider.script(think("hm"), call_tool("f", {"city": "Oslo"}), finish("tools"))
        first = answered(provider, foreign(tools=tools, reasoning=ReasoningWish("high")), target)
        step = Turn("assistant", first.choices[0].parts)
        (made,) = [part for part in step.parts if isinstance(part, ToolCall)]
        result = Turn("user", (ToolResult(made.id, (Text("warm"),)),))
        again = foreign(Turn("user", (Text("go"),)), step, result, tools=tools)
        assert b"encrypted_content" in write_request(again, target, Losses()).body
        answered(provider, again, target)


def test_a_refusal_is_read_as_one(provider: SimulatedProvider) -> None:
    provider.script(refuse("I cannot"), finish("refusal"))
    reply = answered(provider, foreign(), PLATFORM)
    assert reply.choices[0].finish.reason == "refusal"


def test_a_seal_of_another_vendor_never_reaches_it(provider: SimulatedProvider) -> None:
    foreign_seal = Reasoning("hm", blob=Blob("signature", "S", "anthropic", "claude"))
    asked = foreign(
        Turn("user", (Text("a"),)), Turn("assistant", (foreign_seal, Text("b"))), Turn("user", (Text("c"),))
    )
    answered(provider, asked, PLATFORM)
