"""Settings as Messages upstreams take them."""

from typing import Any

import pytest

from proxx.protocols.anthropic.write_request import write_request
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.events import Ended, Finished, PartClosed, PartOpened, Started, TextDelta
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Blob, CacheMark, Reasoning, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.reply import fold
from proxx.protocols.hub.request import CacheWish, OutputWish, ReasoningWish, Request, Sampling, State, ToolSpec
from proxx.protocols.hub.target import ModelFacts, Target
from tests.protocols.anthropic.writing import HI, assistant, body, messages, system, text, user, write

SIGNED = Reasoning("hm", blob=Blob("signature", "sig", "anthropic", "claude"))
LOOK = ToolSpec("function", "look", "openai_chat")


def noted(losses: Losses) -> list[str]:
    return [note.partition(";")[0] for note in losses.notes]


def limit(model: str, asked: int | None, *, default: int | None = None) -> int:
    facts = ModelFacts() if model == "unknown" else None
    request = Request("openai_chat", "m", (HI,), max_output=asked)
    if facts is None:
        return int(body(model, max_output=asked)["max_tokens"])
    target = Target("p", model, "anthropic", facts=facts, default_max_output=default)
    return int(write_request(request, target, Losses()).body.split(b'"max_tokens":')[1].split(b",")[0])


def test_the_limit_is_the_callers_or_a_default_within_the_models():
    """D108."""
    assert limit("claude-sonnet-4-5", 100) == 100
    assert limit("claude-sonnet-4-5", None) == 32_000
    assert limit("claude-3-haiku-20240307", None) == 4096
    assert limit("claude-3-haiku-20240307", 100_000) == 4096
    assert limit("unknown", None) == 8192
    assert limit("unknown", None, default=20_000) == 20_000


@pytest.mark.parametrize(
    ("model", "sampling", "told", "lost"),
    [
        ("claude-sonnet-4-5", Sampling(temperature=0.5), {"temperature": 0.5}, []),
        ("claude-sonnet-4-5", Sampling(temperature=1.7), {"temperature": 1}, ["temperature"]),
        ("claude-sonnet-4-5", Sampling(temperature=0.5, top_p=0.9), {"temperature": 0.5}, ["top_p"]),
        ("claude-sonnet-4-20250514", Sampling(temperature=0.5, top_p=0.9), {"temperature": 0.5, "top_p": 0.9}, []),
        ("claude-opus-4-8", Sampling(temperature=0.5, top_p=0.9, top_k=4), {}, ["temperature", "top_p", "top_k"]),
        ("claude-opus-4-8", Sampling(temperature=1, top_p=1), {}, []),
        ("claude-sonnet-4-5", Sampling(top_k=4, seed=1, frequency_penalty=0), {"top_k": 4}, ["seed"]),
        ("claude-sonnet-4-5", Sampling(stop=("a", "b")), {"stop_sequences": ["a", "b"]}, []),
    ],
)
def test_sampling_goes_as_far_as_the_model_takes_it(
    model: str, sampling: Sampling, told: dict[str, Any], lost: list[str]
):
    """D102, D104, D105, D106."""
    losses = Losses()
    written = body(model, losses, sampling=sampling)
    fields = ("temperature", "top_p", "top_k", "stop_sequences")
    assert {name: written[name] for name in fields if name in written} == told
    assert noted(losses) == lost


def test_thinking_takes_no_sampling():
    """D103."""
    losses = Losses()
    sampling = Sampling(temperature=0.5, top_p=0.5, top_k=5)
    written = body("claude-sonnet-4-5", losses, sampling=sampling, reasoning=ReasoningWish("high"))
    assert not {"temperature", "top_p", "top_k"} & set(written)
    assert noted(losses) == ["temperature", "top_p", "top_k"]
    assert body(sampling=Sampling(temperature=1), reasoning=ReasoningWish("high"))["thinking"]["type"] == "enabled"


def test_blank_stop_sequences_are_watched_for_here():
    """D112."""
    written = write(sampling=Sampling(stop=("\n\n", "END")))
    assert b'"stop_sequences":["END"]' in written.body
    (mend,) = written.mends
    events = [Started(), PartOpened(0, "text"), TextDelta(0, "a\n\nb"), PartClosed(0), Finished("stop"), Ended()]
    assert fold(mend(events)).choices[0].parts == (Text("a"),)


def test_efforts_and_budgets():
    """D96, D97, D98."""
    new = body("claude-opus-4-8", reasoning=ReasoningWish("xhigh"))
    assert (new["thinking"]["type"], new["output_config"]) == ("adaptive", {"effort": "xhigh"})
    old = body("claude-sonnet-4-5", reasoning=ReasoningWish("low"), max_output=4000)
    assert (old["thinking"], old["max_tokens"]) == ({"type": "enabled", "budget_tokens": 2048}, 4000)
    assert "thinking" not in body("claude-sonnet-4-5")


def test_calls_that_came_without_thinking_switch_it_off():
    """D86."""
    turns = (user("Go"), assistant(ToolCall("t", "look", "{}")), user(ToolResult("t", (Text("ok"),))))
    losses = Losses()
    off = body("claude-sonnet-4-5", losses, turns=turns, reasoning=ReasoningWish("high"))
    assert "thinking" not in off
    assert noted(losses) == ["reasoning"]
    thought = (user("Go"), assistant(SIGNED, ToolCall("t", "look", "{}")), turns[2])
    assert body("claude-sonnet-4-5", turns=thought, reasoning=ReasoningWish("high"))["thinking"]["type"] == "enabled"
    assert "thinking" in body("claude-opus-4-8", turns=turns, reasoning=ReasoningWish("high"))
    assert "thinking" in body(
        "claude-sonnet-4-5", turns=(*turns, assistant("b"), user("c")), reasoning=ReasoningWish("low")
    )


def test_a_schema_is_said_natively_or_by_a_tool():
    """D77."""
    schema = {"type": "object", "properties": {"city": {"type": "string", "minLength": 2}}}
    output = OutputWish("schema", schema)
    shape = body("claude-sonnet-4-5", output=output)["output_config"]["format"]
    assert shape["type"] == "json_schema"
    assert shape["schema"]["additionalProperties"] is False
    assert "minLength" not in shape["schema"]["properties"]["city"]
    old = write("claude-sonnet-4-20250514", output=output)
    assert b'"tool_choice":{"type":"tool","name":"structured_output","disable_parallel_tool_use":true}' in old.body
    events = [
        Started(),
        PartOpened(0, "call", 0, "t", "structured_output"),
        PartClosed(0),
        Finished("tool_calls"),
        Ended(),
    ]
    assert fold(old.mends[0](events)).choices[0].finish.reason == "stop"


def test_a_schema_by_a_tool_leaves_the_other_tools_of_use_and_thinking_out():
    """D78."""
    losses = Losses()
    output, effort = OutputWish("schema", {"type": "object", "properties": {}}), ReasoningWish("high")
    written = body("claude-sonnet-4-20250514", losses, output=output, tools=(LOOK,), reasoning=effort)
    assert [tool["name"] for tool in written["tools"]] == ["look", "structured_output"]
    assert written["tool_choice"] == {"type": "any"}
    assert "thinking" not in written
    assert noted(losses) == ["reasoning"]


def test_json_is_asked_for_in_words():
    losses = Losses()
    written = body(instructions=(system("S"),), output=OutputWish("json"), losses=losses)
    assert written["system"][0] == text("S")
    assert "JSON" in written["system"][1]["text"]
    assert noted(losses) == ["response_format"]


def test_identity_tier_and_stream():
    """D181."""
    written = body(user_id="u1", service_tier="flex", stream=True)
    assert (written["metadata"], written["service_tier"], written["stream"]) == (
        {"user_id": "u1"},
        "standard_only",
        True,
    )
    assert body(service_tier="priority")["service_tier"] == "auto"
    hashed = body(safety_identifier="somebody@example.org")["metadata"]["user_id"]
    assert len(hashed) == 64
    assert "metadata" not in body()


@pytest.mark.parametrize(
    "request_",
    [
        {"sampling": Sampling(n=2)},
        {"state": State(previous_response_id="resp_1")},
        {"state": State(background=True)},
        {"output": OutputWish(modalities=("text", "audio"))},
    ],
)
def test_what_would_change_the_answer_is_refused(request_: dict[str, Any]):
    """D113, D162."""
    with pytest.raises(Inexpressible):
        body(**request_)


def test_versions_and_betas():
    """D102."""
    plain = dict(write("claude-sonnet-4-5").headers)
    assert plain == {b"anthropic-version": b"2026-10-21"}
    assert dict(write(sampling=Sampling(temperature=0.1)).headers) == {b"anthropic-version": b"2023-06-01"}
    thinking = dict(write(reasoning=ReasoningWish("high")).headers)
    assert thinking[b"anthropic-beta"] == b"interleaved-thinking-2025-05-14"
    elsewhere = Target("other", "claude-sonnet-4-5", "anthropic")
    request = Request("openai_chat", "m", (HI,))
    assert write_request(request, elsewhere, Losses()).headers == ((b"anthropic-version", b"2023-06-01"),)


def marked(name: str, ttl: str = "") -> Text:
    return Text(name, cache=CacheMark(ttl))


def marks(written: dict[str, Any]) -> list[str]:
    blocks = [*written.get("system", ()), *(block for message in written["messages"] for block in message["content"])]
    return [block["text"] for block in blocks if "cache_control" in block]


def test_of_many_marks_the_first_and_the_latest_three_stay():
    """D124."""
    losses = Losses()
    turns = tuple(Turn("user", (marked(name),)) for name in "abcd")
    written = body(losses=losses, instructions=(Turn("system", (marked("s"), marked("t"))),), turns=turns)
    assert marks(written) == ["s", "b", "c", "d"]
    assert noted(losses) == ["cache_control"]
    whole = body(instructions=(Turn("system", (marked("s"),)),), turns=turns[:3], cache=CacheWish(mark=CacheMark("1h")))
    assert marks(whole) == ["s", "b", "c"]
    assert whole["cache_control"] == {"type": "ephemeral", "ttl": "5m"}


def test_a_mark_on_nothing_moves_to_the_block_before():
    """D125."""
    (message,) = messages(user("a", marked(" ")))
    assert message["content"] == [text("a", cache_control={"type": "ephemeral"})]
    said = messages(user("a"), assistant("b", SIGNED, marked(" "), "c"), user("d"))[1]["content"]
    assert ["cache_control" in block for block in said] == [True, False, False]


def test_an_hour_after_five_minutes_is_shortened():
    """D126."""
    losses = Losses()
    (message,) = messages(user(marked("a", "1h"), marked("b", "5m"), marked("c", "1h")), losses=losses)
    assert [block["cache_control"]["ttl"] for block in message["content"]] == ["1h", "5m", "5m"]
    assert noted(losses) == ["cache_control.ttl"]
