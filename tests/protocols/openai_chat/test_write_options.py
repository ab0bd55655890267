"""Options, written for chat upstreams of every habit."""

import json

import msgspec
import pytest

from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.events import ArgsDelta, Ended, Finished, PartClosed, PartOpened, ReasoningDelta, TextDelta
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import CacheMark, Text
from proxx.protocols.hub.request import (
    CacheWish,
    HostedConfig,
    OutputWish,
    ReasoningWish,
    Sampling,
    State,
    ToolChoice,
    ToolSpec,
)
from proxx.protocols.openai_chat.write_request import passes
from tests.protocols.openai_chat.asking import asked, read_envelope, read_request, sent, target, turn, written

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"], "additionalProperties": False}
F = ToolSpec("function", "f", "anthropic", description="d", schema=SCHEMA)
G = ToolSpec("function", "g", "anthropic", schema=SCHEMA)
SEARCH = ToolSpec("web_search", "web_search", "anthropic", hosted=HostedConfig(allowed_domains=("e.org",)))
CUSTOM = ToolSpec("custom", "patch", "openai_responses", grammar={"syntax": "lark", "definition": "x"})


@pytest.mark.parametrize(
    ("quirks", "model", "name"),
    [
        ([], "gpt-5", "max_completion_tokens"),
        ([], "llama", "max_tokens"),
        (["max_tokens_name"], "gpt-5", "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_upstream_knows(quirks, model, name):
    """D107."""
    body = sent(asked(max_output=99), *quirks, model=model)
    assert {key: value for key, value in body.items() if value == 99} == {name: 99}


def test_sampling_is_said_where_it_is_taken():
    losses = Losses()
    sampling = Sampling(temperature=0.5, top_p=0.9, top_k=7, seed=1, n=2, min_p=0.1, repeat_penalty=1.1)
    body = sent(asked(sampling=sampling), losses=losses)
    assert (body["temperature"], body["top_p"], body["seed"], body["n"]) == (0.5, 0.9, 1, 2)
    assert [note.split(";")[0] for note in losses.notes] == ["top_k", "min_p", "repeat_penalty"]
    body = sent(asked(sampling=sampling), "knows_top_k")
    assert (body["top_k"], body["min_p"], body["repetition_penalty"]) == (7, 0.1, 1.1)


def test_models_that_think_take_no_temperature():
    losses = Losses()
    body = sent(asked(sampling=Sampling(temperature=0.5, top_p=1)), model="gpt-5", losses=losses)
    assert not {"temperature", "top_p"} & set(body)
    assert [note.split(";")[0] for note in losses.notes] == ["temperature"]


def test_stops_beyond_four_are_looked_for_here():
    """D112."""
    out = written(asked(sampling=Sampling(stop=("a", "b", "c", "d", "END"))))
    assert json.loads(out.body)["stop"] == ["a", "b", "c", "d"]
    said = out.mends[0]([PartOpened(0, "text"), TextDelta(0, "so END no"), PartClosed(0)])
    assert TextDelta(0, "so ") in said
    assert Finished("stop_sequence", 0, "END", "END") in said
    assert said[-1] == Ended()


@pytest.mark.parametrize(
    ("wish", "quirks", "model", "members"),
    [
        (ReasoningWish(), [], "x", {}),
        (ReasoningWish("high"), [], "gpt-5", {"reasoning_effort": "high"}),
        (ReasoningWish("off"), [], "gpt-5.2", {"reasoning_effort": "none"}),
        (ReasoningWish("off"), [], "gpt-5", {"reasoning_effort": "minimal"}),
        (ReasoningWish("max"), [], "gpt-5", {"reasoning_effort": "high"}),
        (ReasoningWish("dynamic"), [], "x", {}),
        (ReasoningWish("low"), ["no_reasoning_effort"], "x", {}),
        (ReasoningWish("low"), ["thinking_switch", "no_reasoning_effort"], "x", {"thinking": {"type": "enabled"}}),
        (
            ReasoningWish("low"),
            ["thinking_switch"],
            "deepseek-chat",
            {"thinking": {"type": "enabled"}, "reasoning_effort": "low"},
        ),
        (ReasoningWish("low"), ["effort_if_known"], "llama-3", {}),
        (ReasoningWish("low"), ["effort_if_known"], "openai/gpt-oss-120b", {"reasoning_effort": "low"}),
        (ReasoningWish("off"), ["thinking_switch"], "x", {"thinking": {"type": "disabled"}}),
        (ReasoningWish("low"), ["glm_thinking", "no_reasoning_effort"], "glm-4.6", {"enable_thinking": True}),
        (ReasoningWish("off"), ["template_thinking"], "q", {"chat_template_kwargs": {"enable_thinking": False}}),
        (ReasoningWish("high", budget=9000), ["reasoning_object"], "x", {"reasoning": {"max_tokens": 9000}}),
        (
            ReasoningWish("low", show="none"),
            ["reasoning_object"],
            "x",
            {"reasoning": {"effort": "low", "exclude": True}},
        ),
        (ReasoningWish("off"), ["reasoning_object"], "x", {"reasoning": {"enabled": False}}),
    ],
)
def test_thinking_is_asked_for_in_the_upstreams_words(wish, quirks, model, members):
    """D95, D96, F-109."""
    names = {"reasoning_effort", "thinking", "enable_thinking", "chat_template_kwargs", "reasoning"}
    body = sent(asked(reasoning=wish), *quirks, model=model)
    assert {name: value for name, value in body.items() if name in names} == members


def test_the_form_of_the_answer_is_said():
    """D66, D80."""
    output = OutputWish("schema", SCHEMA, name="my schema!", description="d", strict=True)
    assert sent(asked(output=output))["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "my_schema_", "description": "d", "schema": SCHEMA, "strict": True},
    }
    body = sent(asked(output=OutputWish("schema", {"type": "object"}, strict=True)))
    assert body["response_format"]["json_schema"] == {
        "name": "response",
        "schema": {"type": "object"},
        "strict": False,
    }


def test_json_is_asked_for_in_words_too():
    body = sent(asked(output=OutputWish("json"), instructions=(turn("system", "x"),)))
    assert body["response_format"] == {"type": "json_object"}
    assert [message["role"] for message in body["messages"]] == ["system", "system", "user"]
    assert len(sent(asked(turn("user", "JSON please"), output=OutputWish("json")))["messages"]) == 1


def test_a_schema_nobody_knows_becomes_a_tool_whose_call_is_the_answer():
    out = written(asked(output=OutputWish("schema", SCHEMA)), "no_json_schema")
    body = json.loads(out.body)
    assert "response_format" not in body
    assert body["tool_choice"]["function"]["name"] == body["tools"][0]["function"]["name"]
    name = body["tools"][0]["function"]["name"]
    assert out.mends[0]([PartOpened(0, "call", name=name), ArgsDelta(0, "{}")])[1:] == [TextDelta(0, "{}")]


def test_openais_own_members_go_to_openai_only():
    request = asked(
        turn("user", Text("a", cache=CacheMark())),
        user_id="u",
        safety_identifier="s",
        metadata={"a": "b"},
        service_tier="priority",
        output=OutputWish(verbosity="low"),
        state=State(store=False),
    )
    names = {"user", "safety_identifier", "metadata", "service_tier", "verbosity", "store", "prompt_cache_key"}
    losses = Losses()
    assert not names & set(sent(request, losses=losses))
    assert [note.split(";")[0] for note in losses.notes] == ["service_tier", "verbosity"]
    assert names <= set(sent(request, "openai_platform"))
    own_key = asked(cache=CacheWish("k"))
    assert sent(own_key, "openai_platform")["prompt_cache_key"] == "k"


@pytest.mark.parametrize(
    "state",
    [State(previous_response_id="r"), State(conversation="c"), State(background=True), State(prompt={"id": "p"})],
)
def test_what_lives_on_another_server_is_refused(state):
    with pytest.raises(Inexpressible):
        sent(asked(state=state))


def test_sound_cannot_be_answered_to_a_foreign_client():
    with pytest.raises(Inexpressible):
        sent(asked(output=OutputWish(modalities=("audio",))))


def test_usage_is_always_asked_for_in_a_stream():
    """D120."""
    assert sent(asked(stream=True))["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent(asked(stream=True), "no_stream_options")
    assert "stream" not in sent(asked())


def test_the_same_request_gives_the_same_bytes():
    """D127."""
    request = asked(tools=(F, CUSTOM, SEARCH), sampling=Sampling(stop=("a",)), metadata={"b": 1, "a": 2})
    assert len({written(request, "web_plugin", "openai_platform").body for _ in range(5)}) == 1


def test_a_number_of_any_size_can_be_written():
    huge = {"type": "object", "properties": {"x": {"maximum": 10**40}}}
    assert b"1" + b"0" * 40 in written(asked(tools=(ToolSpec("function", "f", "a", schema=huge),))).body


@pytest.mark.parametrize(
    ("body", "as_it_is"),
    [
        (b'{"model":"a","messages":[]}', True),
        (b'{"model":"a","input":[{"role":"user","content":"hi"}]}', False),
        (b'{"model":"a","input":["to be embedded"]}', True),
        (b'{"model":"a","input":"text"}', True),
        (b'{"model":"a","prompt":"old"}', True),
    ],
)
def test_a_body_of_the_responses_kind_is_written_anew_for_a_chat_upstream(body, as_it_is):
    """E8."""
    assert passes(read_envelope(body), target()) is as_it_is


def test_a_forced_tool_switches_thinking_off_where_both_are_refused():
    request = asked(tools=(F,), tool_choice=ToolChoice("required"), reasoning=ReasoningWish("high"))
    losses = Losses()
    quirks = ("thinking_switch", "no_reasoning_effort", "no_forced_thinking")
    assert sent(request, *quirks, losses=losses)["thinking"] == {"type": "disabled"}
    assert len(losses.notes) == 1


def test_mistral_gets_its_own_members_only():
    """D95, D116."""
    sampling = Sampling(seed=7, logprobs=True, top_logprobs=2, logit_bias={"1": 1})
    losses = Losses()
    named = msgspec.structs.replace(turn("user", "a"), name="ann")
    body = sent(asked(named, sampling=sampling), "mistral_members", losses=losses)
    assert set(body) == {"model", "messages", "random_seed"}
    assert "name" not in body["messages"][0]
    assert [note.split(";")[0] for note in losses.notes] == ["logprobs", "logit_bias"]


@pytest.mark.parametrize(("quirk", "begun"), [("think_tags", "<think>"), ("think_tags_opened=R1*", "")])
def test_thinking_between_tags_is_split_off_where_it_is_known(quirk, begun):
    """D46."""
    (mend,) = written(asked(), quirk, "think_tags=qwq*", model="r1:8b").mends
    said = mend([PartOpened(0, "text"), TextDelta(0, f"{begun}hm</think>a"), PartClosed(0)])
    assert [event for event in said if isinstance(event, ReasoningDelta | TextDelta)] == [
        ReasoningDelta(0, "hm"),
        TextDelta(1, "a"),
    ]
    assert written(asked(), quirk.partition("=")[0] + "=qwq*", model="r1:8b").mends == ()


def test_deep_nesting_is_written_and_what_nobody_could_read_is_refused():
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert b"[" * 5000 in written(asked(output=OutputWish("schema", {"x": deep}))).body
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}],"foo":' + b"[" * 5000 + b"]" * 5000 + b"}"
    with pytest.raises(Unreadable):
        read_request(read_envelope(body), Losses())
