"""Tools and settings of a Request -> body, each checked by the simulated Gemini."""

import pytest

from proxx.protocols.gemini import PROTOCOL
from proxx.protocols.hub.cuts import FirstCallOnly, StopAt
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.events import ArgsDelta, PartClosed, PartOpened
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.output import AnswerAsText
from proxx.protocols.hub.parts import Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.request import (
    HostedConfig,
    OutputWish,
    ReasoningWish,
    Sampling,
    State,
    ToolChoice,
    ToolRef,
    ToolSpec,
)
from tests.protocols.gemini.saying import NEWEST, OLDER, asking, target, write

SCHEMA = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "additionalProperties": False}
F = ToolSpec("function", "f", "openai_chat", description="does", schema=SCHEMA, strict=True)
G = ToolSpec("function", "g", "openai_chat")
SEARCH = ToolSpec("web_search", "web_search", "openai_responses")
HI = Turn("user", (Text("hi"),))


def mends(request, model=NEWEST):
    return PROTOCOL.write_request(request, target(model), Losses()).mends


def test_functions_keep_their_json_schema():
    """D63, D64, D68."""
    body = write(asking(tools=(F, G, F)))
    assert body["tools"] == [
        {"functionDeclarations": [{"name": "f", "description": "does", "parametersJsonSchema": SCHEMA}, {"name": "g"}]}
    ]


def test_models_that_take_only_the_subset_get_it():
    """D63, D65."""
    request = asking(tools=(F,), output=OutputWish("schema", SCHEMA))
    body = write(request, quirks=frozenset({"openapi_schemas"}))
    clean = {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}}
    assert body["tools"][0]["functionDeclarations"][0]["parameters"] == clean
    assert body["generationConfig"]["responseSchema"] == clean


def test_odd_names_are_changed_and_restored():
    """D70, D71."""
    long = "x" * 80
    tools = (ToolSpec("function", "a/b c", "openai_chat"), ToolSpec("function", long, "openai_chat", namespace="n"))
    request = asking(tools=tools, tool_choice=ToolChoice("named", (ToolRef(long, "n"),)))
    body = write(request)
    names = [one["name"] for one in body["tools"][0]["functionDeclarations"]]
    assert body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == [names[1]]
    assert all(len(name) <= 64 for name in names)
    (restore,) = mends(request)
    (opened,) = restore([PartOpened(0, "call", name=names[1])])
    assert (opened.namespace, opened.name) == ("n", long)


def test_a_tool_declared_twice_is_sent_once():
    """D72."""
    body = write(asking(tools=(F, ToolSpec("function", "f", "openai_chat", description="other"))))
    assert [one["description"] for one in body["tools"][0]["functionDeclarations"]] == ["does"]


def test_a_tool_of_the_history_that_nobody_declares_is_declared():
    """D29."""
    turns = (HI, Turn("assistant", (ToolCall("c", "old", "{}"),)), Turn("user", (ToolResult("c"),)))
    body = write(asking(*turns, tools=(F,)))
    assert [one["name"] for one in body["tools"][0]["functionDeclarations"]] == ["f", "old"]
    body = write(asking(*turns))
    assert body["toolConfig"]["functionCallingConfig"] == {"mode": "NONE"}


def test_free_form_tools_are_wrapped_and_unwrapped():
    """D166."""
    request = asking(tools=(ToolSpec("custom", "apply", "openai_responses"),))
    declared = write(request)["tools"][0]["functionDeclarations"][0]
    assert declared["parametersJsonSchema"]["required"] == ["input"]
    (unwrap,) = mends(request)
    events = [PartOpened(0, "call", name="apply"), ArgsDelta(0, '{"input":"x"}'), PartClosed(0)]
    assert unwrap(events)[:2] == [PartOpened(0, "call", name="apply", tool_kind="custom"), ArgsDelta(0, "x")]


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("named", (ToolRef("g"),)), {"mode": "ANY", "allowedFunctionNames": ["g"]}),
        (ToolChoice("subset", (ToolRef("f"),), must=True), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice("subset", (ToolRef("f"),)), {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
    ],
)
def test_each_tool_choice_has_its_mode(choice, calling):
    """D73."""
    assert write(asking(tools=(F, G), tool_choice=choice))["toolConfig"]["functionCallingConfig"] == calling


def test_a_tool_choice_without_tools_is_left_out():
    """D75."""
    assert set(write(asking(tool_choice=ToolChoice("required"), parallel=False))) == {"contents"}


def test_one_call_at_a_time_is_seen_to_by_the_gateway():
    """D76."""
    assert [type(one) for one in mends(asking(tools=(F,), parallel=False))] == [FirstCallOnly]
    assert mends(asking(tools=(F,), parallel=True)) == ()


def test_search_is_googles_own():
    """D169."""
    losses = Losses()
    hosted = HostedConfig(allowed_domains=("x.org",), max_uses=3)
    tool = ToolSpec("web_search", "web_search", "anthropic", hosted=hosted)
    assert write(asking(tools=(tool,)), losses=losses)["tools"] == [{"googleSearch": {}}]
    assert {note.partition(";")[0] for note in losses.notes} == {
        "tools[web_search].allowed_domains",
        "tools[web_search].max_uses",
    }


def test_search_beside_functions_is_allowed_where_the_model_takes_both():
    """D171."""
    body = write(asking(tools=(F, SEARCH)))
    assert body["tools"][1] == {"googleSearch": {}}
    assert body["toolConfig"]["includeServerSideToolInvocations"] is True
    losses = Losses()
    assert len(write(asking(tools=(F, SEARCH)), OLDER, losses)["tools"]) == 1
    assert losses.notes
    forced = asking(tools=(F, SEARCH), tool_choice=ToolChoice("named", (ToolRef("web_search"),)))
    assert write(forced, OLDER)["tools"] == [{"googleSearch": {}}]


def test_a_tool_that_only_its_vendor_runs_is_left_out_or_refused():
    """D169."""
    computer = ToolSpec("hosted", "file_search", "openai_responses")
    losses = Losses()
    assert len(write(asking(tools=(F, computer)), losses=losses)["tools"]) == 1
    assert losses.notes
    with pytest.raises(Inexpressible):
        write(asking(tools=(computer,)))


def test_deferred_tools_are_all_given_at_once():
    deferred = ToolSpec("function", "d", "openai_responses", deferred=True)
    body = write(asking(tools=(deferred, ToolSpec("tool_search", "tool_search", "openai_responses"))))
    assert [one["name"] for one in body["tools"][0]["functionDeclarations"]] == ["d"]


def test_sampling_is_told_under_geminis_names():
    sampling = Sampling(0.5, 0.9, 40, None, 0.1, 0.2, None, 7, 2, ("a",), None, True, 3)
    config = write(asking(sampling=sampling, max_output=10), OLDER)["generationConfig"]
    assert config == {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "candidateCount": 2,
        "maxOutputTokens": 10,
        "stopSequences": ["a"],
        "seed": 7,
        "presencePenalty": 0.2,
        "frequencyPenalty": 0.1,
        "responseLogprobs": True,
        "logprobs": 3,
    }


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"sampling": Sampling(min_p=0.1)}, "min_p"),
        ({"sampling": Sampling(repeat_penalty=1.1)}, "repeat_penalty"),
        ({"sampling": Sampling(logit_bias={"1": 1})}, "logit_bias"),
        ({"sampling": Sampling(seed=2**40)}, "seed"),
        ({"max_tool_calls": 2}, "max_tool_calls"),
        ({"max_output": 10**7}, "max_output_tokens"),
        ({"output": OutputWish(verbosity="low")}, "verbosity"),
        ({"state": State(truncation="auto")}, "truncation"),
        ({"service_tier": "scale"}, "service_tier"),
    ],
)
def test_settings_without_counterpart_are_noted(members, field):
    losses = Losses()
    write(asking(**members), losses=losses)
    assert [note.partition(";")[0] for note in losses.notes] == [field]


@pytest.mark.parametrize(
    "members",
    [
        {"state": State(previous_response_id="r")},
        {"state": State(background=True)},
        {"sampling": Sampling(n=9)},
        {"output": OutputWish(modalities=("text", "audio"))},
    ],
)
def test_what_would_change_the_answer_in_kind_is_refused(members):
    with pytest.raises(Inexpressible):
        write(asking(**members))


def test_more_stop_sequences_than_gemini_takes_are_matched_here():
    """D112."""
    request = asking(sampling=Sampling(stop=tuple("abcdefg")))
    assert write(request)["generationConfig"]["stopSequences"] == list("abcde")
    assert [type(one) for one in mends(request)] == [StopAt]


@pytest.mark.parametrize(
    ("model", "wish", "config"),
    [
        (NEWEST, ReasoningWish("high", 20000, "summary"), {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        (OLDER, ReasoningWish("high", 20000, "summary"), {"includeThoughts": True, "thinkingBudget": 20000}),
        (OLDER, ReasoningWish("off"), {"thinkingBudget": 0}),
        ("gemini-2.5-pro", ReasoningWish("off"), {"thinkingBudget": 128}),
        (NEWEST, ReasoningWish("off"), {"thinkingLevel": "LOW"}),
    ],
)
def test_thinking_is_asked_for_in_the_models_own_way(model, wish, config):
    """D98, D99."""
    assert write(asking(reasoning=wish), model)["generationConfig"]["thinkingConfig"].items() >= config.items()


def test_a_form_of_the_answer_is_asked_for():
    schema = {"$defs": {"a": {"type": "object"}}, "$ref": "#/$defs/a"}
    config = write(asking(output=OutputWish("schema", schema)))["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": schema}
    assert write(asking(output=OutputWish("json")))["generationConfig"] == {"responseMimeType": "application/json"}


def test_a_form_beside_functions_becomes_a_tool_where_the_model_cannot_do_both():
    """D79, D78."""
    request = asking(tools=(F,), output=OutputWish("schema", {"type": "object", "properties": {"x": {}}}))
    assert "responseMimeType" in write(request)["generationConfig"]
    body = write(request, OLDER)
    assert "generationConfig" not in body
    assert [one["name"] for one in body["tools"][0]["functionDeclarations"]] == ["f", "structured_output"]
    assert body["toolConfig"]["functionCallingConfig"] == {"mode": "ANY"}
    assert [type(one) for one in mends(request, OLDER)] == [AnswerAsText]


def test_a_form_beside_functions_that_must_not_be_called_needs_no_tool():
    """D79."""
    request = asking(tools=(F,), output=OutputWish("json"), tool_choice=ToolChoice("none"))
    assert set(write(request, OLDER)) == {"contents", "generationConfig"}


def test_tiers_and_pictures_are_asked_for():
    """D181."""
    body = write(asking(service_tier="flex", output=OutputWish(modalities=("text", "image"))))
    assert body["serviceTier"] == "FLEX"
    assert body["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"]}


def test_an_older_model_takes_search_alone():
    """D79, D171."""
    old = (HI, Turn("assistant", (ToolCall("c", "old", "{}"),)), Turn("user", (ToolResult("c"),)))
    assert write(asking(*old, tools=(SEARCH,)), OLDER)["tools"] == [{"googleSearch": {}}]
    losses = Losses()
    body = write(asking(tools=(SEARCH,), output=OutputWish("json")), OLDER, losses)
    assert set(body) == {"contents", "generationConfig"}
    assert losses.notes
