"""A request written for an Ollama upstream: head, options, form, thinking."""

import json

import pytest

from proxx.protocols.hub.cuts import FirstCallOnly
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, Turn
from proxx.protocols.hub.request import OutputWish, ReasoningWish, Request, Sampling, State
from proxx.protocols.hub.target import ModelFacts, Target
from proxx.protocols.hub.think_tags import SplitThinking
from proxx.protocols.ollama import PROTOCOL

HI = Turn("user", (Text("hi"),))


def written(*turns, losses=None, facts=ModelFacts(), quirks=(), **more):  # noqa: B008
    request = Request(more.pop("dialect", "openai_chat"), "client", turns or (HI,), **more)
    target = Target("ollama", "up", "ollama", frozenset(quirks), facts)
    return PROTOCOL.write_request(request, target, losses or Losses())


def body(*turns, **more):
    return json.loads(written(*turns, **more).body)


def noted(**more):
    losses = Losses()
    body(losses=losses, **more)
    return [note.partition(";")[0] for note in losses.notes]


def test_a_plain_request_says_no_more_than_it_must():
    """D111: a prompt that is too long is refused, not cut."""
    wanted = {"model": "up", "messages": [{"role": "user", "content": "hi"}], "stream": False, "truncate": False}
    assert body() == wanted


def test_whether_to_stream_is_always_said():
    """D115."""
    assert body(stream=True)["stream"] is True
    assert body(stream=False)["stream"] is False


def test_sampling_and_limits_are_options():
    sampling = Sampling(
        0.5, 0.9, 40, 0.1, 0.2, 0.3, 1.1, 7, stop=("a", " ", "b", "c", "d"), logprobs=True, top_logprobs=30
    )
    told = body(sampling=sampling, max_output=9)
    assert told["options"] == {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0.1,
        "frequency_penalty": 0.2,
        "presence_penalty": 0.3,
        "repeat_penalty": 1.1,
        "seed": 7,
        "stop": ["a", " ", "b", "c", "d"],
        "num_predict": 9,
    }
    assert (told["logprobs"], told["top_logprobs"]) == (True, 20)


def test_the_machines_own_settings_come_back():
    """F-098."""
    told = body(runtime={"num_ctx": 8192, "num_predict": -1}, keep_alive="5m", max_output=None)
    assert told["options"] == {"num_ctx": 8192, "num_predict": -1}
    assert told["keep_alive"] == "5m"


def test_a_limit_above_the_models_own_is_lowered():
    losses = Losses()
    assert body(max_output=9000, facts=ModelFacts(max_output=4096), losses=losses)["options"]["num_predict"] == 4096
    assert losses.notes == ["max_tokens;lowered to the model's own limit"]


@pytest.mark.parametrize(
    ("words", "window", "context"),
    [(10, 131072, None), (6000, 131072, 16384), (6000, 10000, 10000), (6000, None, None)],
)
def test_a_long_history_asks_for_the_room_it_needs(words, window, context):
    """D111."""
    turn = Turn("user", (Text("word " * words),))
    options = body(turn, facts=ModelFacts(context_window=window)).get("options", {})
    assert options.get("num_ctx") == context


def test_a_context_that_was_asked_for_is_the_one_that_is_sent():
    """F-098."""
    turn = Turn("user", (Text("word " * 6000),))
    told = body(turn, runtime={"num_ctx": 2048}, facts=ModelFacts(context_window=131072))
    assert told["options"]["num_ctx"] == 2048


@pytest.mark.parametrize(
    ("effort", "thinking", "think"),
    [
        ("", "", None),
        ("off", "", False),
        ("dynamic", "", True),
        ("minimal", "", "low"),
        ("medium", "", "medium"),
        ("xhigh", "", "max"),
        ("max", "effort", "max"),
        ("high", "none", None),
        ("off", "none", None),
    ],
)
def test_thinking_has_ollamas_words_and_none_for_models_that_cannot(effort, thinking, think):
    """D96."""
    assert body(reasoning=ReasoningWish(effort), facts=ModelFacts(thinking=thinking)).get("think") == think


@pytest.mark.parametrize(
    ("output", "form"),
    [
        (OutputWish(), None),
        (OutputWish("text"), None),
        (OutputWish("json"), "json"),
        (OutputWish("schema", {"type": "object", "$defs": {}}, "n", "d", True), {"type": "object", "$defs": {}}),
        (OutputWish("schema"), "json"),
    ],
)
def test_the_form_of_the_answer(output, form):
    assert body(output=output).get("format") == form


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"sampling": Sampling(n=2)}, "n"),
        ({"state": State(previous_response_id="r")}, "previous_response_id"),
        ({"state": State(conversation="c")}, "conversation"),
        ({"state": State(background=True)}, "background"),
        ({"state": State(prompt={"id": "p"})}, "prompt"),
        ({"output": OutputWish(modalities=("text", "audio"))}, "modalities"),
    ],
)
def test_what_would_be_silently_wrong_is_refused(said, field):
    """D113, D162, D163."""
    with pytest.raises(Inexpressible) as caught:
        body(**said)
    assert caught.value.param == field


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"sampling": Sampling(logit_bias={"1": 1})}, "logit_bias"),
        ({"output": OutputWish(verbosity="low")}, "verbosity"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
        ({"state": State(truncation="auto")}, "truncation"),
        ({"reasoning": ReasoningWish("high"), "facts": ModelFacts(thinking="none")}, "reasoning"),
    ],
)
def test_what_is_only_lost_is_noted(said, field):
    assert noted(**said) == [field]


@pytest.mark.parametrize(
    "said",
    [
        {"service_tier": "fast"},
        {"metadata": {"a": "b"}},
        {"user_id": "u", "safety_identifier": "s"},
        {"sampling": Sampling(n=1)},
        {"state": State(store=False, include=("reasoning.encrypted_content",), truncation="disabled")},
        {"extras": {"foo": 1}},
    ],
)
def test_what_changes_no_answer_is_left_out_in_silence(said):
    """D116, D181."""
    assert noted(**said) == []
    assert body(**said) == body()


def test_a_callers_own_wish_to_cut_comes_back_to_its_own_dialect_only():
    extras = {"truncate": True, "shift": False}
    assert body(dialect="ollama", extras=extras)["truncate"] is True
    assert body(dialect="ollama", extras=extras)["shift"] is False
    assert body(extras=extras) == body()


def test_what_ollama_cannot_be_told_is_mended_in_its_answer():
    """D46, D76."""
    assert written().mends == ()
    assert [type(mend) for mend in written(parallel=False).mends] == [FirstCallOnly]
    assert [type(mend) for mend in written(quirks=["think_tags"]).mends] == [SplitThinking]
    assert [type(mend) for mend in written(quirks=["think_tags_opened"]).mends] == [SplitThinking]


def test_the_same_request_is_the_same_bytes():
    """D127."""
    assert written(sampling=Sampling(0.5, seed=1)).body == written(sampling=Sampling(0.5, seed=1)).body


def test_in_its_own_dialect_only_the_name_is_changed():
    """D85."""
    raw = b'{"messages":[{"role":"user","content":"\\"model\\": 1.0"}], "model" : "m" ,"x":1.50}'
    envelope = PROTOCOL.read_envelope(raw)
    assert PROTOCOL.same_dialect(envelope, model="m", ask_usage=True) == raw
    assert PROTOCOL.same_dialect(envelope, model="up", ask_usage=True) == raw.replace(b'"m" ,', b'"up" ,')


def test_generate_goes_to_its_own_address():
    chat = "http://h:1/api/chat"
    assert PROTOCOL.url(chat, stream=True, form="generate") == "http://h:1/api/generate"
    assert PROTOCOL.url(chat, stream=True, form="chat") == PROTOCOL.url(chat, stream=False) == chat


def test_numbers_of_any_size_are_written():
    assert body(runtime={"num_ctx": 2**70})["options"]["num_ctx"] == 2**70
