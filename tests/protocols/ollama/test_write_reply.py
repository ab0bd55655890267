"""Events told to a client of Ollama, in lines and whole."""

import json
from datetime import datetime

import pytest

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import (
    ArgsDelta,
    Ended,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    SummaryDelta,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Citation, Hosted, Image, Reasoning, Refusal, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, unfold
from proxx.protocols.ollama import PROTOCOL

USAGE = Usage(12, 5)


def occasion(**more):
    return Occasion("c0ffee", 1795266000, "m", **more)


def reply(*parts, reason="stop", usage=USAGE, phases=None):
    return Reply((Choice(parts, Finished(reason), phases or {}),), usage=usage)


def streamed(said, **more):
    writer = PROTOCOL.stream_writer(occasion(**more))
    out = b"".join(writer.write([event]) for event in (unfold(said) if isinstance(said, Reply) else said))
    assert out.endswith(b"\n")
    return [json.loads(line) for line in out[:-1].split(b"\n")]


def whole(said, **more):
    return json.loads(PROTOCOL.write_whole(said, occasion(**more)))


def test_each_delta_is_a_line_and_the_last_one_counts():
    first, second, ending = streamed([PartOpened(0, "text"), TextDelta(0, "a"), TextDelta(0, ""), Ended()])
    assert first == {
        "model": "m",
        "created_at": "2026-11-21T13:00:00.000000000Z",
        "message": {"role": "assistant", "content": "a"},
        "done": False,
    }
    assert second["message"]["content"] == ""
    assert (ending["done"], ending["done_reason"], ending["message"]["content"]) == (True, "stop", "")


def test_the_last_line_has_counts_and_measured_durations():
    times = iter([*[1_500_000_000] * 2, *[2_000_000_000] * 3])
    writer = PROTOCOL.stream_writer(occasion(elapsed_ns=lambda: next(times)))
    writer.write([Started(), PartOpened(0, "text"), TextDelta(0, "a")])
    ending = json.loads(writer.write([PartClosed(0), Finished("stop"), UsageReported(USAGE), Ended()]))
    assert datetime.fromisoformat(ending["created_at"]).second == 2
    assert (ending["prompt_eval_count"], ending["eval_count"]) == (12, 5)
    assert (ending["total_duration"], ending["prompt_eval_duration"]) == (2_000_000_000, 1_500_000_000)
    assert ending["eval_duration"] == 500_000_000


@pytest.mark.parametrize("usage", [None, Usage()])
def test_counts_that_nobody_knows_are_not_told(usage):
    ending = streamed(reply(Text("a"), usage=usage))[-1]
    assert "eval_count" not in ending
    assert "prompt_eval_count" not in ending


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "stop"),
        ("stop_sequence", "stop"),
        ("length", "length"),
        ("context_window", "length"),
        ("tool_calls", "stop"),
        ("content_filter", "stop"),
        ("refusal", "stop"),
        ("pause", "stop"),
        ("other", "stop"),
    ],
)
def test_why_it_ended_is_said_in_ollamas_words(reason, told):
    """D57 and the table of finish reasons."""
    said = reply(Text("a"), reason=reason)
    assert streamed(said)[-1]["done_reason"] == whole(said)["done_reason"] == told


@pytest.mark.parametrize("reason", ["malformed_call", "error"])
def test_an_answer_that_ended_badly_is_an_error(reason):
    """D53."""
    said = reply(Text("a"), reason=reason)
    lines = streamed(said)
    assert list(lines[-1]) == ["error"]
    assert not any(line.get("done") for line in lines)
    assert PROTOCOL.write_whole(said, occasion()) == b""


def test_a_call_comes_whole_with_its_arguments_as_an_object():
    """D10: in the model's own spelling."""
    writer = PROTOCOL.stream_writer(occasion())
    assert writer.write([PartOpened(0, "call", id="c", name="f"), ArgsDelta(0, '{"b":1.0,')]) == b""
    out = writer.write([ArgsDelta(0, '"a":12345678901234567890123}'), PartClosed(0)])
    assert b'"arguments":{"b":1.0,"a":12345678901234567890123}' in out
    (call,) = json.loads(out)["message"]["tool_calls"]
    assert (call["id"], call["function"]["name"]) == ("c", "f")


@pytest.mark.parametrize("args", ["", "{}", '"{}"'])
def test_a_call_without_arguments_has_an_empty_object(args):
    """D5, D11."""
    said = reply(ToolCall("c", "f", args), reason="tool_calls")
    assert whole(said)["message"]["tool_calls"][0]["function"]["arguments"] == {}
    assert streamed(said)[0]["message"]["tool_calls"][0]["function"]["arguments"] == {}


def test_interleaved_calls_come_in_the_order_in_which_they_began():
    """D1."""
    events = [PartOpened(0, "call", id="1", name="f"), PartOpened(1, "call", id="2", name="g")]
    events += [
        ArgsDelta(1, '{"x":'),
        ArgsDelta(0, '{"y":2}'),
        ArgsDelta(1, "1}"),
        PartClosed(1),
        PartClosed(0),
        Ended(),
    ]
    calls = [call for line in streamed(events) for call in line["message"].get("tool_calls", ())]
    assert [(call["id"], call["function"]["index"]) for call in calls] == [("1", 0), ("2", 1)]
    assert [call["function"]["arguments"] for call in calls] == [{"y": 2}, {"x": 1}]


def test_half_a_call_is_an_error_and_never_run():
    """D12."""
    said = reply(Text("a"), ToolCall("c", "f", '{"path":"/'), reason="length")
    lines = streamed(said)
    assert [list(line) for line in lines[1:]] == [["error"]]
    assert PROTOCOL.write_whole(said, occasion()) == b""


def test_thinking_stands_beside_the_text():
    said = reply(Reasoning("hm"), Reasoning(summary=("one", "two")), Text("a"))
    lines = streamed(said)
    assert [line["message"].get("thinking") for line in lines] == ["hm", "one", "\n\ntwo", None, None]
    assert whole(said)["message"] == {"role": "assistant", "content": "a", "thinking": "hmone\n\ntwo"}


def test_texts_that_are_separate_things_are_set_apart():
    """D189."""
    said = reply(Text("Let me see."), ToolCall("c", "f", "{}"), Text("Done."), Text(" Bye."))
    assert whole(said)["message"]["content"] == "Let me see.\n\nDone. Bye."
    assert "".join(line["message"]["content"] for line in streamed(said)) == "Let me see.\n\nDone. Bye."
    phased = reply(Text("a"), Text("b"), phases={0: "commentary", 1: "final_answer"})
    assert whole(phased)["message"]["content"] == "a\n\nb"


def test_refusals_are_text_pictures_have_their_place_and_sources_none():
    said = reply(Text("a", (Citation("u"),)), Refusal("no"), Hosted("web_search", query="q"), Image(data="aGk="))
    assert whole(said)["message"] == {"role": "assistant", "content": "ano", "images": ["aGk="]}
    assert streamed(said)[2]["message"]["images"] == ["aGk="]


@pytest.mark.parametrize(
    ("parts", "content"),
    [((), "not that"), ((Text("Well"),), "Well\n\nnot that"), ((Refusal("I will not"),), "I will not")],
)
def test_a_refusal_without_words_says_why(parts, content):
    """D56."""
    finish = Finished("refusal", details={"category": "x", "explanation": "not that"})
    said = Reply((Choice(parts, finish),))
    assert whole(said)["message"]["content"] == content
    assert "".join(line["message"]["content"] for line in streamed(said)) == content


def test_probabilities_are_told():
    token = {"token": "a", "logprob": -0.5, "odd": 2**70}
    events = [PartOpened(0, "text"), TextDelta(0, "a"), LogprobsGiven(0, (token,)), PartClosed(0), Ended()]
    assert streamed(events)[1]["logprobs"] == [token]
    assert whole(reply(Text("a", logprobs=(token,))))["logprobs"] == [token]


def test_generate_has_its_own_form():
    said = reply(Reasoning("hm"), Text("a"), Text("b", logprobs=({"token": "b"},)))
    lines = streamed(said, form="generate")
    assert [line["response"] for line in lines] == ["", "a", "b", "", ""]
    assert (lines[0]["thinking"], lines[3]["logprobs"]) == ("hm", [{"token": "b"}])
    assert not any("message" in line for line in lines)
    told = whole(said, form="generate")
    assert (told["response"], told["thinking"], told["done"]) == ("ab", "hm", True)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c", "\n", "\r", "\x00"])
def test_nothing_inside_a_line_looks_like_its_end(mark):
    """D49."""
    said = reply(Text(f"a{mark}ü"), Reasoning(mark + "ü"), ToolCall("c", f"f{mark}", json.dumps({"ü": mark})))
    writer = PROTOCOL.stream_writer(occasion())
    lines = writer.write(unfold(said)).decode().splitlines()
    assert [json.loads(line)["done"] for line in lines] == [False, False, False, True]
    assert json.loads(lines[0])["message"]["content"] == f"a{mark}ü"


def test_nothing_is_written_after_the_end():
    """D147."""
    writer = PROTOCOL.stream_writer(occasion())
    writer.write(unfold(reply(Text("a"))))
    assert writer.write([TextDelta(0, "late"), Ended()]) == b""


@pytest.mark.parametrize("before", [[], [PartOpened(0, "text"), TextDelta(0, "a")]])
def test_an_error_can_come_at_any_time_and_ends_it(before):
    """D150."""
    writer = PROTOCOL.stream_writer(occasion())
    writer.write(before)
    assert writer.fail(ErrorFacts("timeout", "Too slow.")) == b'{"error":"Too slow."}\n'
    assert writer.write([TextDelta(0, "b"), Ended()]) == b""


def test_a_stream_that_breaks_off_after_a_call_that_cannot_be_told_has_one_error():
    """D150."""
    writer = PROTOCOL.stream_writer(occasion())
    told = writer.write([PartOpened(0, "call", id="c", name="f"), ArgsDelta(0, '{"city":'), PartClosed(0)])
    told += writer.fail(ErrorFacts("upstream_truncated", "It broke off."))
    assert [list(json.loads(line)) for line in told.splitlines()] == [["error"]]


def test_errors_have_the_words_that_clients_look_for():
    missing = ErrorFacts("not_found", "The model 'x:y' does not exist or you do not have access to it.", param="model")
    assert json.loads(PROTOCOL.write_error(missing)) == {"error": "model 'x:y' not found"}
    assert json.loads(PROTOCOL.write_error(ErrorFacts("not_found", "No such path."))) == {"error": "No such path."}
    assert json.loads(PROTOCOL.write_stream_error(ErrorFacts("rate_limit", "Later."))) == {"error": "Later."}


def test_the_heartbeat_is_a_line_that_says_nothing():
    """D135, D144."""
    beat = json.loads(PROTOCOL.heartbeat)
    assert (beat["done"], beat["message"]["content"], beat["response"]) == (False, "", "")
    assert PROTOCOL.heartbeat.count(b"\n") == 1


def test_thinking_in_pieces_is_one_thinking():
    events = [PartOpened(0, "reasoning"), SummaryDelta(0, 0, "a"), SummaryDelta(0, 0, "b"), ReasoningDelta(0, "c")]
    assert [line["message"]["thinking"] for line in streamed(events)] == ["a", "b", "c"]
