"""A request's own words to a profile: names with reasoning wishes, wishes for speed."""

import json

import pytest

from proxx.protocols import registry
from proxx.protocols.hub.request import Envelope
from proxx.protocols.profile import asked
from proxx.protocols.profile.options import Options, Wishes


def envelope(dialect="openai_responses", model="gpt-5", **fields):
    body = json.dumps({"model": model, "input": "hello", **fields}).encode()
    given = {"model": model, "stream": False} if dialect == "gemini" else {}
    return registry.get(dialect).read_envelope(body, **given)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gpt-5:res-high:sum-auto", ("gpt-5", "high", "auto")),
        ("openai/gpt-5:RES-none", ("openai/gpt-5", "none", "")),
        ("qwen3:8b:sum-never", ("qwen3:8b", "", "never")),
        ("gpt-5:res-huge", ("gpt-5:res-huge", "", "")),
        ("llama3:8b", ("llama3:8b", "", "")),
    ],
)
def test_wishes_are_read_off_a_models_name(name, found):
    """F-074."""
    assert asked.split(name) == found


def test_a_suffix_is_taken_out_of_name_and_body_and_outweighs_the_rest():
    """F-074."""
    given = envelope(model="gpt-5:res-low:sum-never", reasoning={"effort": "high"})
    read, wishes = asked.read(given, Options(variants=True, effort="medium"), {})
    assert (read.model, json.loads(read.body)["model"]) == ("gpt-5", "gpt-5")
    assert (wishes.effort, wishes.summary, wishes.forced) == ("low", "never", True)


def test_a_suffix_means_nothing_where_variants_are_off():
    given = envelope(model="gpt-5:res-low")
    assert asked.read(given, Options(), {}) == (given, None)


def test_gemini_names_its_model_in_the_path_so_the_body_stays():
    given = envelope("gemini", model="gemini-3:res-high")
    read, _ = asked.read(given, Options(variants=True), {})
    assert (read.model, read.body) == ("gemini-3", given.body)


@pytest.mark.parametrize(
    ("fields", "headers", "tier"),
    [
        ({}, {}, "priority"),
        ({"service_tier": "flex"}, {}, ""),
        ({"open_hax": {"service_tier": "flex"}}, {asked.TIER_HEADER: "default"}, "flex"),
        ({"open_hax": {"serviceTier": "default"}}, {}, "default"),
        ({}, {asked.TIER_HEADER: "flex", asked.FAST_HEADER: "true"}, "flex"),
        ({"open_hax": {"fast_mode": False}}, {asked.FAST_HEADER: "true"}, ""),
        ({"open_hax": {"fastMode": True}}, {}, "priority"),
        ({}, {asked.FAST_HEADER: "off"}, ""),
        ({"open_hax": "nonsense"}, {asked.FAST_HEADER: "maybe"}, "priority"),
    ],
)
def test_a_request_may_overrule_fast_mode(fields, headers, tier):
    """F-116."""
    given = envelope(**fields)
    read, wishes = asked.read(given, Options(fast="always"), headers)
    assert (wishes.tier if wishes else "") == tier
    assert json.loads(read.body) == {name: v for name, v in json.loads(given.body).items() if name != "open_hax"}


def test_speed_is_given_only_to_those_who_ask_where_that_is_the_rule():
    """F-116."""
    assert asked.read(envelope(), Options(fast="asked"), {})[1] is None
    _, wishes = asked.read(envelope(), Options(fast="asked"), {asked.FAST_HEADER: "1"})
    assert wishes == Wishes(tier="priority")


def test_a_profile_that_only_concerns_lists_touches_no_request():
    given = envelope(open_hax={"fast_mode": True})
    assert asked.read(given, Options(include=("gpt-*",), fill_gaps=True), {asked.FAST_HEADER: "1"}) == (given, None)


def test_pictures_and_vectors_are_none_of_a_profiles_business():
    body = b'{"model":"m:res-low","input":"x"}'
    given = Envelope("openai_embed", "m:res-low", stream=False, wants_usage=False, body=body)
    assert asked.read(given, Options(variants=True, temperature=0.1), {}) == (given, None)
