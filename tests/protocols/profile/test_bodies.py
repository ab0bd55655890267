"""Wishes written into bodies that stay in their dialect: nothing else changes."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.framing.members import without
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.request import Envelope
from proxx.protocols.hub.target import Target
from proxx.protocols.profile.bodies import applied, put
from proxx.protocols.profile.options import DIALECTS, Wishes

SEARCHING = {"openai_responses": "web_search", "anthropic": "web_search_20250305", "gemini": "googleSearch"}
MODELS = {"anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}


def edit(dialect, wishes, body, model=""):
    """Return the body after the wishes; None where it must go through the hub."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    model = model or MODELS.get(dialect, "some-model")
    told = applied(
        Envelope(dialect, model, False, False, raw), wishes, Target("p", model, dialect, facts=facts_of(model))
    )
    return None if told is None else told.body


def read(dialect, wishes, body, model=""):
    return json.loads(edit(dialect, wishes, body, model))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_temperature_replaces_every_other(dialect):
    """F-088."""
    place = {"gemini": "generationConfig", "ollama": "options"}.get(dialect)
    for before in ({}, {"temperature": 1.0, "seed": 3}):
        body = {"model": "m", place: before} if place else {"model": "m", **before}
        told = read(dialect, Wishes(temperature=0.25), body)
        inner = told[place] if place else told
        assert inner["temperature"] == 0.25
        assert inner.get("seed") == before.get("seed")


def test_bytes_around_an_edit_stay_as_they_were():
    body = b'{ "n":1.50e2 ,"temperature" : 1,"x":"\\u00e4" ,"temperature":2}'
    assert edit("openai_chat", Wishes(temperature=0.5), body) == body.replace(b" 1,", b" 0.5,").replace(
        b":2}", b":0.5}"
    )


def test_gemini_settings_are_found_in_either_spelling():
    told = read("gemini", Wishes(temperature=0.5), {"generation_config": {"topK": 3}})
    assert told == {"generation_config": {"topK": 3, "temperature": 0.5}}


def test_a_model_without_sampling_settings_is_given_none():
    body = b'{"model":"o3","temperature":1}'
    assert edit("openai_chat", Wishes(temperature=0.5), body, "o3") == body


def test_a_thinking_claude_is_left_to_the_hub():
    wishes = Wishes(temperature=0.5)
    assert edit("anthropic", wishes, {"thinking": {"type": "enabled", "budget_tokens": 2000}}) is None


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("tools", [{}, {"tools": []}, {"tools": None}])
def test_a_search_is_offered_where_no_tool_is_and_the_dialect_has_one(dialect, tools):
    """F-307."""
    body = json.dumps({"model": "m", **tools}).encode()
    told = edit(dialect, Wishes(web_search=True), body)
    assert (SEARCHING[dialect].encode() in told) if dialect in SEARCHING else told == body


@pytest.mark.parametrize("dialect", SEARCHING)
def test_a_request_with_tools_keeps_them(dialect):
    """F-307."""
    body = b'{"tools":[{"name":"shell"}]}'
    assert edit(dialect, Wishes(web_search=True), body) == body


def test_no_search_is_put_beside_a_form_of_geminis_answer():
    body = b'{"generationConfig":{"responseMimeType":"application/json"}}'
    assert edit("gemini", Wishes(web_search=True), body) == body


DEFAULTS = Wishes(effort="medium", summary="auto")
FILLED = msgspec.structs.replace(DEFAULTS, fill_gaps=True)
FORCED = Wishes(effort="low", summary="never", forced=True)


@pytest.mark.parametrize(
    ("wishes", "said", "told"),
    [
        (DEFAULTS, None, {"effort": "medium", "summary": "auto"}),
        (DEFAULTS, {}, {"effort": "medium", "summary": "auto"}),
        (DEFAULTS, {"effort": "high"}, {"effort": "high"}),
        (FILLED, {"effort": "high"}, {"effort": "high", "summary": "auto"}),
        (FILLED, {"summary": "detailed"}, {"summary": "detailed", "effort": "medium"}),
        (FILLED, {"effort": "none"}, {"effort": "none"}),
        (FORCED, {"effort": "high", "summary": "auto"}, {"effort": "low"}),
        (FORCED, None, {"effort": "low"}),
        (Wishes(summary="concise"), None, {"summary": "concise"}),
    ],
)
def test_reasoning_is_set_where_a_response_request_says_nothing(wishes, said, told):
    """F-113."""
    body = {"model": "gpt-5", **({"reasoning": said} if said is not None else {})}
    assert read("openai_responses", wishes, body, "gpt-5")["reasoning"] == told


@pytest.mark.parametrize(
    "said", [{"reasoning_effort": "high"}, {"reasoning": {"effort": "low"}}, {"thinking": {"x": 1}}]
)
def test_a_chat_request_is_given_an_effort_only_if_it_says_nothing(said):
    """F-113."""
    assert read("openai_chat", DEFAULTS, {"model": "gpt-5"}, "gpt-5")["reasoning_effort"] == "medium"
    body = json.dumps(said).encode()
    assert edit("openai_chat", DEFAULTS, body, "gpt-5") == body


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        ("anthropic", {"thinking": {"type": "disabled"}}),
        ("gemini", {"generationConfig": {"thinkingConfig": {}}}),
        ("ollama", {"think": False}),
    ],
)
def test_where_the_word_depends_on_the_model_a_silent_request_goes_through_the_hub(dialect, said):
    """F-113."""
    body = json.dumps(said).encode()
    assert edit(dialect, DEFAULTS, {"model": "m"}) is None
    assert edit(dialect, DEFAULTS, body) == body
    assert edit(dialect, FILLED, body) is None


def test_a_model_that_does_not_think_is_not_asked_to():
    body = b'{"model":"gpt-4o"}'
    assert edit("openai_responses", DEFAULTS, body, "gpt-4o") == body


def test_speed_is_asked_for_of_responses_alone():
    """F-116."""
    assert read("openai_responses", Wishes(tier="priority"), {})["service_tier"] == "priority"
    assert edit("openai_chat", Wishes(tier="priority"), b"{}") == b"{}"


def test_reasoning_that_is_retold_needs_the_hub():
    """F-114, F-115."""
    assert edit("openai_responses", Wishes(shown="text"), b"{}") is None


@pytest.mark.parametrize("body", [b'{"reasoning":"much"}', b'{"reasoning":[]}'])
def test_nonsense_is_left_to_the_provider(body):
    assert edit("openai_responses", DEFAULTS, body, "gpt-5") == body


names = st.sampled_from(["a", "b", "open_hax", "c d"])
values = st.none() | st.integers() | st.text(max_size=9) | st.dictionaries(names, st.integers(), max_size=2)


@given(st.dictionaries(names, values, max_size=4), st.sampled_from([None, 2]))
def test_a_member_can_be_taken_out_and_put_in(document, indent):
    body = json.dumps(document, indent=indent).encode()
    rest = {name: value for name, value in document.items() if name != "open_hax"}
    assert json.loads(without(body, b"open_hax")) == rest
    assert json.loads(put(body, (b"open_hax", b"deep"), b"7"))["open_hax"]["deep"] == 7
