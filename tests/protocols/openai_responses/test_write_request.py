"""The members of a request, written for a Responses upstream."""

from typing import Any

import pytest

from proxx.protocols.hub.cuts import CutPrefill, StopAt
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.events import ArgsDelta, PartClosed, PartOpened
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import CacheMark, Text, Turn
from proxx.protocols.hub.request import (
    CacheWish,
    HostedConfig,
    OutputWish,
    ReasoningWish,
    Sampling,
    ToolChoice,
    ToolRef,
    ToolSpec,
)
from proxx.protocols.openai_responses.read_request import read_envelope
from proxx.protocols.openai_responses.write_request import same_dialect
from proxx.protocols.openai_responses.write_request.body import CONTINUE
from tests.protocols.openai_responses.bodies import call, foreign, message, output, request, written, wrote

CLOSED = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def tool(name: str = "f", **members: Any) -> ToolSpec:
    return ToolSpec(**({"kind": "function", "name": name, "dialect": "anthropic"} | members))


def test_the_same_dialect_keeps_its_bytes_but_for_the_model() -> None:
    envelope = read_envelope(b'{"input":1.0, "model":"a"}')
    assert same_dialect(envelope, model="a", ask_usage=True) == envelope.body
    assert same_dialect(envelope, model="b", ask_usage=True) == b'{"input":1.0, "model":"b"}'


def test_the_same_request_is_the_same_bytes() -> None:
    asked = request(message("user", "x"), tools=[{"type": "function", "name": "f"}])
    assert wrote(asked).body == wrote(asked).body


def test_a_function_says_that_it_is_not_strict_because_silence_would_mean_yes() -> None:
    """D67, D68."""
    told = written(foreign(tools=(tool(description="d"),)))["tools"]
    parameters = {"type": "object", "properties": {}}
    assert told == [
        {"type": "function", "name": "f", "description": "d", "parameters": parameters, "strict": False},
    ]


def test_strict_is_kept_only_for_schemas_that_qualify() -> None:
    """D66."""
    losses = Losses()
    tools = (tool("a", schema=CLOSED, strict=True), tool("b", schema={"type": "object"}, strict=True))
    assert [one["strict"] for one in written(foreign(tools=tools), losses)["tools"]] == [True, False]
    assert losses.notes == ["tools[b].strict;the schema is not of the strict kind"]


def test_silence_of_an_own_client_means_strict_where_the_schema_allows_it() -> None:
    """D67."""
    tools = [{"type": "function", "name": "a", "parameters": CLOSED}, {"type": "function", "name": "b"}]
    losses = Losses()
    told = written(request(tools=tools), losses, provider="imitator")["tools"]
    assert [one["strict"] for one in told] == [True, False]
    assert losses.notes == []


def test_own_declarations_return_as_they_came_and_namespaces_together() -> None:
    """D167."""
    function = {"type": "function", "name": "f", "parameters": CLOSED, "defer_loading": True}
    group = {"type": "namespace", "name": "n", "description": "d", "tools": [function, {**function, "name": "g"}]}
    asked = request(call("c", "g", namespace="n"), output("c"), tools=[group, function])
    body = written(asked)
    assert body["tools"] == [group, function]
    assert body["input"][0] == {
        "type": "function_call", "call_id": "c", "name": "g", "namespace": "n", "arguments": "{}",
    }  # fmt: skip


def test_an_imitator_gets_flat_names_and_the_answer_has_the_namespace_again() -> None:
    """D167."""
    group = {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]}
    result = wrote(request(tools=[group]), provider="imitator")
    assert b'"name":"n__f"' in result.body
    events: Any = [PartOpened(0, "call", name="n__f")]
    for mend in result.mends:
        events = mend(events)
    assert (events[0].namespace, events[0].name) == ("n", "f")


def test_a_tool_without_schema_is_unwrapped_in_the_answer() -> None:
    """D172."""
    result = wrote(request(tools=[{"type": "apply_patch"}]), provider="imitator")
    events: Any = [PartOpened(0, "call", name="apply_patch"), ArgsDelta(0, "{}"), PartClosed(0)]
    for mend in result.mends:
        events = mend(events)
    assert events[0].tool_kind == "apply_patch"


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("named", (ToolRef("f"),)), {"type": "function", "name": "f"}),
        (ToolChoice("named", (ToolRef("web_search"),)), {"type": "web_search"}),
        (
            ToolChoice("subset", (ToolRef("f"),), must=True),
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
        ),
    ],
)
def test_the_choice_is_said_in_this_dialects_words(choice: ToolChoice, told: Any) -> None:
    tools = (tool(), tool("web_search", kind="web_search"))
    assert written(foreign(tools=tools, tool_choice=choice))["tool_choice"] == told


def test_without_tools_there_is_no_choice_and_nothing_parallel() -> None:
    """D75."""
    body = written(foreign(tool_choice=ToolChoice("auto"), parallel=False))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(body)


def test_a_search_is_translated_and_what_it_cannot_say_is_noted() -> None:
    losses = Losses()
    config = HostedConfig(("a.org",), ("b.org",), {"country": "DE"}, 3, "low")
    body = written(foreign(tools=(tool("web_search", kind="web_search", hosted=config),)), losses)
    assert body["tools"] == [
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["a.org"]},
            "user_location": {"type": "approximate", "country": "DE"},
            "search_context_size": "low",
        }
    ]
    assert body["max_tool_calls"] == 3
    assert losses.notes == ["tools[web_search].blocked_domains;this dialect only names allowed domains"]


def test_other_hosted_tools_are_dropped_with_a_note_and_refused_when_all_depends_on_them() -> None:
    losses = Losses()
    hosted = tool("code_execution", kind="hosted")
    assert len(written(foreign(tools=(hosted, tool())), losses)["tools"]) == 1
    assert losses.notes == ["tools[code_execution];this provider does not run it"]
    with pytest.raises(Inexpressible):
        written(foreign(tools=(hosted,)))


def test_limits_below_the_least_are_raised_and_unknown_settings_noted() -> None:
    """D109."""
    losses = Losses()
    body = written(foreign(max_output=1, sampling=Sampling(temperature=0.5, top_k=3, seed=1)), losses)
    assert (body["max_output_tokens"], body["temperature"]) == (16, 0.5)
    assert losses.notes == ["top_k;unknown to this dialect", "seed;unknown to this dialect"]


def test_several_choices_are_refused() -> None:
    with pytest.raises(Inexpressible):
        written(foreign(sampling=Sampling(n=2)))


def test_stop_texts_are_cut_by_a_mend() -> None:
    assert isinstance(wrote(foreign(sampling=Sampling(stop=("END",)))).mends[0], StopAt)


def test_a_reasoning_model_is_told_its_effort_and_asked_for_its_sealed_thoughts() -> None:
    """D91, D96."""
    losses = Losses()
    asked = foreign(reasoning=ReasoningWish("max", show="summary"), sampling=Sampling(temperature=1.0))
    body = written(asked, losses, facts=facts_of("gpt-5"))
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert body["include"] == ["reasoning.encrypted_content"]
    assert "temperature" not in body
    assert losses.notes == ["temperature;this model takes no sampling settings"]
    assert "include" not in written(asked, facts=facts_of("gpt-4o"))


def test_other_dialects_keep_nothing_at_the_provider_and_own_wishes_stay() -> None:
    assert written(foreign())["store"] is False
    assert "store" not in written(request())
    assert written(request(store=True))["store"] is True


def test_formats_of_answers_are_flat_and_named() -> None:
    """D80."""
    wish = OutputWish("schema", CLOSED, "a b", "d", True, "low")
    assert written(foreign(output=wish))["text"] == {
        "format": {"type": "json_schema", "name": "a_b", "schema": CLOSED, "description": "d", "strict": True},
        "verbosity": "low",
    }
    nameless = written(foreign(output=OutputWish("schema", {"type": "object"})))["text"]["format"]
    assert nameless == {"type": "json_schema", "name": "response", "schema": {"type": "object"}}


def test_json_without_the_word_for_it_gets_the_word() -> None:
    body = written(foreign(output=OutputWish("json")))
    assert body["text"] == {"format": {"type": "json_object"}}
    assert body["input"][0] == {"type": "message", "role": "developer", "content": "Answer with JSON."}
    told = foreign(Turn("user", (Text("as Json"),)), output=OutputWish("json"))
    assert len(written(told)["input"]) == 1


def test_identities_that_are_too_long_are_hashed_and_tiers_renamed() -> None:
    body = written(foreign(user_id="u" * 100, service_tier="standard_only", metadata={"user_id": "x"}))
    assert len(body["user"]) == 64
    assert body["service_tier"] == "default"
    assert "metadata" not in body


def test_cache_marks_become_a_key_that_only_the_beginning_decides() -> None:
    """D128."""
    marked = Turn("user", (Text("a", cache=CacheMark()),))
    first = written(foreign(marked, instructions=(Turn("system", (Text("s"),)),)))
    second = written(foreign(marked, marked, instructions=(Turn("system", (Text("s"),)),)))
    assert first["prompt_cache_key"] == second["prompt_cache_key"]
    assert "prompt_cache_breakpoint" not in first["input"][0]["content"][0]
    assert "prompt_cache_key" not in written(foreign())
    assert written(foreign(marked, cache=CacheWish("k")))["prompt_cache_key"] == "k"


def test_own_cache_marks_return_to_the_vendor_only() -> None:
    """D128."""
    part = {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}
    asked = request({"role": "user", "content": [part]})
    assert written(asked)["input"][0]["content"] == [part]
    for about in ({"provider": "imitator"}, {"quirks": frozenset({"codex_backend"})}):
        assert "prompt_cache_breakpoint" not in written(asked, **about)["input"][0]["content"][0]


def test_a_prefill_is_asked_for_in_words_and_its_repetition_cut() -> None:
    """D33."""
    losses = Losses()
    result = wrote(foreign(Turn("user", (Text("q"),)), Turn("assistant", (Text("The "),))), losses)
    assert CONTINUE.encode() in result.body
    assert isinstance(result.mends[0], CutPrefill)
    assert losses.notes == ["messages;the last message is continued on request only"]
    chat = wrote(foreign(Turn("user", (Text("q"),)), Turn("assistant", (Text("The "),)), dialect="openai_chat"))
    assert chat.mends == ()


def test_a_compaction_is_asked_for_in_the_vendors_words_or_in_plain_ones() -> None:
    """D168."""
    asked = request(message("user", "u"), {"type": "compaction_trigger"})
    own = written(asked)["input"]
    assert own[-1] == {"type": "compaction_trigger"}
    assert len(own) == 2
    other = written(asked, provider="imitator")["input"]
    assert other[-1]["content"][0]["text"].startswith("Summarise this conversation")


def test_extras_return_to_their_own_dialect_and_to_no_other() -> None:
    asked = request(odd={"a": 1}, reasoning={"effort": "low", "summary": "detailed", "context": "auto"})
    body = written(asked)
    assert body["odd"] == {"a": 1}
    assert body["reasoning"] == {"effort": "low", "summary": "detailed", "context": "auto"}
    assert "odd" not in written(foreign(dialect="openai_chat", extras={"odd": 1}))


def test_numbers_of_any_size_are_written() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 2**80}}}
    assert str(2**80).encode() in wrote(foreign(tools=(tool(schema=schema),))).body
