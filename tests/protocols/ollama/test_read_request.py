"""A client's Ollama request, read."""

import json

import msgspec
import pytest

from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Image, Reasoning, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.request import OutputWish, ReasoningWish, Sampling, ToolSpec
from proxx.protocols.ollama import PROTOCOL
from proxx.protocols.ollama.read_request import local_reply

PNG = "iVBORw0KGgoAAAANSUhEUg=="
USER = {"role": "user", "content": "hi"}


def read(*messages, losses=None, form="chat", **more):
    body = {"model": "m", **({"messages": list(messages)} if messages else {}), **more}
    envelope = PROTOCOL.read_envelope(json.dumps(body).encode(), form=form)
    return PROTOCOL.read_request(envelope, losses or Losses())


def fault(*messages, **more):
    with pytest.raises(Unreadable) as caught:
        read(*messages, **more)
    return caught.value


@pytest.mark.parametrize(("said", "streams"), [({}, True), ({"stream": False}, False), ({"stream": True}, True)])
def test_streams_are_the_default(said, streams):
    """D115."""
    envelope = PROTOCOL.read_envelope(json.dumps({"model": "m", **said}).encode())
    assert (envelope.stream, envelope.wants_usage, envelope.form) == (streams, True, "chat")
    assert read(USER, **said).stream is streams


def test_leading_system_messages_are_instructions_and_later_ones_stay():
    """D30."""
    system = {"role": "system", "content": "s"}
    request = read(system, {"role": "developer", "content": "d"}, USER, system)
    assert request.instructions == (Turn("system", (Text("s"),)), Turn("developer", (Text("d"),)))
    assert request.turns == (Turn("user", (Text("hi"),)), Turn("system", (Text("s"),)))


def test_a_step_of_a_model_is_one_turn():
    raw = b'{"model":"m","messages":[{"role":"assistant","content":"a","thinking":"hm","tool_calls":[{"function":'
    raw += b'{"index":0,"name":"f","arguments":{"b": 1.0, "a": 1e2}}}, {"id":"x","function":{"name":"g"}}]}]}'
    (turn,) = PROTOCOL.read_request(PROTOCOL.read_envelope(raw), Losses()).turns
    calls = (ToolCall("", "f", '{"b": 1.0, "a": 1e2}'), ToolCall("x", "g", "{}"))
    assert turn == Turn("assistant", (Reasoning("hm"), Text("a"), *calls))


def test_results_of_tools_are_one_user_turn():
    """D18, D25: with their pictures."""
    named = {"role": "tool", "content": "1", "tool_name": "f"}
    given = {"role": "tool", "content": "", "tool_call_id": "x", "images": [PNG]}
    turns = read(named, given, USER, named).turns
    picture = Image(data=PNG, media_type="image/png")
    assert turns[0] == Turn("user", (ToolResult("", (Text("1"),), name="f"), ToolResult("x", (picture,))))
    assert [len(turn.parts) for turn in turns] == [2, 1, 1]


@pytest.mark.parametrize("data", [PNG, f"data:image/jpg;base64,{PNG}", PNG[:-2]])
def test_pictures_are_known_by_their_bytes(data):
    """D40, D41."""
    assert read({**USER, "images": [data]}).turns[0].parts[1] == Image(data=PNG, media_type="image/png")


def test_empty_content_is_no_part():
    """D36."""
    turns = read({"role": "user"}, {"role": "user", "content": None}, {"role": "user", "content": ""}).turns
    assert turns == (Turn("user", ()),) * 3


def test_tools_are_read_with_and_without_a_schema():
    """D68."""
    schema = {"type": "object", "properties": {"b": {}, "a": {}}, "required": ["a"]}
    tools = [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}},
        {"function": {"name": "g"}},
    ]
    assert read(USER, tools=tools).tools == (
        ToolSpec("function", "f", "ollama", description="d", schema=schema),
        ToolSpec("function", "g", "ollama"),
    )


def test_options_are_sampling_limits_and_the_machines_own():
    options = {"temperature": 0.5, "top_k": 40.0, "seed": 7, "stop": ["a", ""], "num_predict": 9, "num_ctx": 8192}
    request = read(USER, options={**options, "repeat_penalty": 1.1, "top_p": None}, logprobs=True, top_logprobs=2)
    wanted = Sampling(temperature=0.5, top_k=40, seed=7, stop=("a",), repeat_penalty=1.1)
    assert request.sampling == msgspec.structs.replace(wanted, logprobs=True, top_logprobs=2)
    assert (request.max_output, request.runtime) == (9, {"num_ctx": 8192})


@pytest.mark.parametrize("number", [-1, -2])
def test_no_limit_is_no_limit(number):
    request = read(USER, options={"num_predict": number})
    assert (request.max_output, request.runtime) == (None, {"num_predict": number})


@pytest.mark.parametrize(
    ("think", "wish"),
    [
        (True, ReasoningWish("dynamic", show="full")),
        (False, ReasoningWish("off")),
        ("max", ReasoningWish("max", show="full")),
        ("low", ReasoningWish("low", show="full")),
        ("extreme", ReasoningWish("medium", show="full")),
        (None, ReasoningWish()),
    ],
)
def test_thinking_is_a_switch_or_a_word(think, wish):
    """D96."""
    losses = Losses()
    assert read(USER, think=think, losses=losses).reasoning == wish
    assert bool(losses.notes) == (think == "extreme")


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("json", OutputWish("json")),
        ({"type": "object"}, OutputWish("schema", {"type": "object"})),
        ("", OutputWish()),
        (None, OutputWish()),
    ],
)
def test_the_form_of_the_answer(said, wish):
    assert read(USER, format=said).output == wish


def test_unknown_members_are_kept_and_noted_and_the_machines_settings_are_not():
    """D116."""
    losses = Losses()
    request = read(USER, losses=losses, foo={"x": 1}, options={"num_gpu": 1, "typical_p": 0.5}, truncate=True)
    assert request.extras == {"foo": {"x": 1}, "truncate": True}
    assert [note.partition(";")[0] for note in losses.notes] == ["foo", "options.typical_p"]


def test_a_strict_caller_hears_of_unknown_members():
    with pytest.raises(Inexpressible):
        read(USER, losses=Losses(strict=True), foo=1)


@pytest.mark.parametrize(
    ("keep_alive", "reason"), [(None, "load"), ("5m", "load"), (-1, "load"), (0, "unload"), ("0s", "unload")]
)
@pytest.mark.parametrize("form", ["chat", "generate"])
def test_a_request_that_asks_nothing_loads_or_unloads(keep_alive, reason, form):
    request = read(form=form, keep_alive=keep_alive)
    reply = local_reply(request)
    assert (request.keep_alive, reply.choices[0].finish.raw, request.turns) == (keep_alive, reason, ())
    assert local_reply(read(USER)) is None


def test_a_prompt_is_a_conversation_of_one_turn():
    request = read(form="generate", prompt="p", system="s", images=[PNG], template="t", losses=(losses := Losses()))
    assert request.instructions == (Turn("system", (Text("s"),)),)
    assert request.turns == (Turn("user", (Text("p"), Image(data=PNG, media_type="image/png"))),)
    assert losses.notes == ["template;unknown to other dialects"]


@pytest.mark.parametrize("said", [{"suffix": "x"}, {"raw": True}, {"context": [1, 2]}])
def test_what_only_the_models_own_server_can_do_is_refused(said):
    with pytest.raises(Inexpressible) as caught:
        read(form="generate", prompt="p", **said)
    assert caught.value.param == next(iter(said))


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content"),
        ({"messages": [USER, {"content": "x"}]}, "messages[1].role"),
        ({"messages": [{"role": "robot"}]}, "messages[0].role"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{**USER, "images": ["no!"]}]}, "messages[0].images[0]"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"options": {"temperature": "hot"}}, "options.temperature"),
        ({"options": {"top_k": 1.5}}, "options.top_k"),
        ({"options": {"stop": [1]}}, "options.stop[0]"),
        ({"options": []}, "options"),
        ({"format": "xml"}, "format"),
        ({"think": 3}, "think"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]},
            "messages[0].tool_calls[0].function.arguments",
        ),
    ],
)
def test_what_cannot_be_read_is_named(said, param):
    """D37: and content is a text."""
    assert fault(**{"messages": [USER], **said}).param == param


def test_half_a_character_is_read_as_a_replacement():
    """D49."""
    raw = b'{"model":"m","messages":[{"role":"user","content":"a\\ud83d"}]}'
    request = PROTOCOL.read_request(PROTOCOL.read_envelope(raw), Losses())
    assert request.turns[0].parts == (Text("a\ufffd"),)


def test_a_name_that_is_no_text_is_not_valid_json():
    raw = b'{"model":"m","messages":[],"f\x85o":1}'
    with pytest.raises(Unreadable):
        PROTOCOL.read_request(PROTOCOL.read_envelope(raw), Losses())
