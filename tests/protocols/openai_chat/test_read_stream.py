"""A chat upstream's stream, read into events whatever its habits."""

import pytest

from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Broken,
    Cited,
    Ended,
    Failed,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.parts import Blob, Citation, Image
from tests.protocols.openai_chat.replying import DONE, events, fragment, frame, glued, said

ROLE = said(role="assistant", content="")
STARTED = Started("c1", "up", 7)
STOP = said("stop")


def reason(stream):
    found = [event for event in events(stream) if isinstance(event, Finished)]
    return found[-1].reason if found else None


def test_text_is_opened_said_closed_and_finished():
    stream = ROLE + said(content="Hel") + said(content="lo") + STOP + DONE
    assert events(stream) == [
        STARTED,
        PartOpened(0, "text"),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        PartClosed(0),
        Finished("stop", 0, "stop"),
        Ended(),
    ]


RICH = (
    b": OPENROUTER PROCESSING\n\n"
    + ROLE
    + said(reasoning_content="hm ü")
    + said(content="a\n")
    + said(content="b")
    + fragment(0, "f", "", id="x", type="function")
    + fragment(0, args='{"a":')
    + fragment(0, args="1.0}")
    + said("tool_calls")
    + frame(id="c1", choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4})
    + DONE
)


@pytest.mark.parametrize("size", [1, 2, 7, 64])
@pytest.mark.parametrize("lines", [b"\n", b"\r\n", b"\r"])
def test_cuts_and_line_ends_change_nothing(size, lines):
    """D130, D131, D132."""
    assert events(RICH.replace(b"\n", lines), size=size) == events(RICH)


def test_data_in_several_lines_and_other_fields_change_nothing():
    """D132."""
    odd = RICH.replace(b'"choices"', b'\ndata:"choices"').replace(b"data: {", b"id: 4\ndata: {")
    assert events(odd) == events(RICH)


def test_thinking_text_and_calls_are_parts_in_order():
    found = glued(events(RICH))
    assert [event for event in found if isinstance(event, PartOpened)] == [
        PartOpened(0, "reasoning"),
        PartOpened(1, "text"),
        PartOpened(2, "call", id="x", name="f"),
    ]
    assert ArgsDelta(2, '{"a":1.0}') in found
    assert UsageReported(Usage(input_total=3, output_total=4)) in found
    assert found[-2:] == [Finished("tool_calls", 0, "tool_calls"), Ended()]


@pytest.mark.parametrize(
    "stream",
    [
        ROLE + said(content="a") + STOP + DONE,
        said(content=None, reasoning="hm") + said(content="a") + STOP,
        said(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]) + said(content="a") + STOP,
        said(content="a", reasoning_content="hm") + STOP + DONE,
    ],
)
def test_a_part_is_closed_before_the_next_and_numbers_have_no_gaps(stream):
    """D48."""
    open_parts, seen = set(), []
    for event in events(stream):
        if isinstance(event, PartOpened):
            assert not open_parts
            open_parts.add(event.part)
            seen.append(event.part)
        elif isinstance(event, PartClosed):
            open_parts.remove(event.part)
        elif isinstance(event, Finished):
            assert not open_parts
    assert seen == list(range(len(seen)))


def test_a_list_of_content_keeps_thinking_and_text_apart():
    """D48."""
    mistral = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}]
    found = events(said(content=mistral) + STOP)
    assert [event for event in found if isinstance(event, ReasoningDelta | TextDelta)] == [
        ReasoningDelta(0, "hm"),
        TextDelta(1, "a"),
    ]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (STOP, "stop"),
        (said("STOP"), "stop"),
        (said("eos"), "stop"),
        (said("length") + said(content="more") + STOP, "stop"),
        (said("length") + said("length"), "length"),
        (said(content="a") + DONE, "stop"),
        (said(content="a"), None),
        (said(refusal="no") + STOP, "refusal"),
        (fragment(0, "f", "{}", id="x") + STOP, "tool_calls"),
        (fragment(0, "f", "{", id="x") + said("length"), "length"),
        (fragment(0, "f", "{}", id="x") + said("content_filter"), "content_filter"),
        (said("function_call", function_call={"name": "f", "arguments": "{}"}), "tool_calls"),
        (said("strange"), "other"),
    ],
)
def test_the_last_finish_counts_and_calls_turn_a_stop_into_theirs(stream, expected):
    """D51, D52, D59, D60."""
    assert reason(stream) == expected


@pytest.mark.parametrize("mark", [b"", DONE])
def test_a_finish_reason_is_enough_of_an_end(mark):
    """D61."""
    assert events(said(content="a") + STOP + mark)[-1] == Ended()


@pytest.mark.parametrize(
    "stream", [b"", ROLE, ROLE + DONE, said(content="a"), STOP[:-9], fragment(0, "f", "{", id="x")]
)
def test_what_breaks_off_has_no_end(stream):
    """D60, D143."""
    assert Ended() not in events(stream)


def test_an_error_as_finish_reason_is_an_error():
    """D59."""
    found = events(said(content="a") + said("error") + DONE)
    assert isinstance(found[-1], Failed)
    assert not any(isinstance(event, Finished | Ended) for event in found)


@pytest.mark.parametrize(
    "error",
    [
        b'data: {"error":{"message":"boom","code":500}}\n\n',
        b'data: {"error":"boom"}\n\n',
        b'event: error\ndata: {"message":"boom"}\n\n',
        b'data: {"object":"error","message":"boom"}\n\n',
        b'data: {"detail":"boom"}\n\n',
        b'data: {"errors":[{"message":"boom"}]}\n\n',
        b'data: {"code":7,"msg":"boom"}\n\n',
        b'data: {"error":{"message":"boom"},"choices":[]}\n\n',
    ],
)
def test_an_error_in_any_shape_is_one_and_nothing_follows(error):
    """D142."""
    found = events(said(content="a") + error + said(content="b") + STOP + DONE)
    assert isinstance(found[-1], Failed)
    assert found[-1].error["message"] == "boom"


@pytest.mark.parametrize("nonsense", [b"data: {\n\n", b"data: ping\n\n", b"<html>\n\n", b'data: {"choices":7}\n\n'])
def test_nonsense_breaks_the_reply(nonsense):
    found = events(said(content="a") + nonsense + STOP + DONE)
    assert isinstance(found[-1], Broken)


@pytest.mark.parametrize(
    "usage",
    [
        said("stop", usage={"prompt_tokens": 3, "completion_tokens": 4}),
        said(content="b", usage={"prompt_tokens": 1, "completion_tokens": 1})
        + STOP
        + frame(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4}),
        frame(
            choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}],
            x_groq={"id": "x", "usage": {"prompt_tokens": 3, "completion_tokens": 4}},
        ),
        frame(
            choices=[
                {
                    "index": 0,
                    "delta": {},
                    "finish_reason": "stop",
                    "usage": {"prompt_tokens": 3, "completion_tokens": 4},
                }
            ]
        ),
    ],
)
def test_usage_is_found_wherever_it_stands(usage):
    """D119."""
    found = [event for event in events(said(content="a") + usage + DONE) if isinstance(event, UsageReported)]
    assert found[-1] == UsageReported(Usage(input_total=3, output_total=4))


def test_reasoning_left_out_of_the_output_is_added():
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 35,
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    found = [event for event in events(said("stop", usage=usage)) if isinstance(event, UsageReported)]
    assert found[-1].usage == Usage(input_total=10, output_total=25, reasoning=20)


def test_answers_side_by_side_keep_their_parts_apart():
    """D113, D114."""
    stream = said(content="a", index=0) + said(content="b", index=1) + said(content="c", index=0)
    found = events(stream + said("stop", index=1) + said("length", index=0) + DONE)
    assert [event for event in found if isinstance(event, TextDelta)] == [
        TextDelta(0, "a"),
        TextDelta(1, "b"),
        TextDelta(0, "c"),
    ]
    assert [(event.choice, event.reason) for event in found if isinstance(event, Finished)] == [
        (0, "length"),
        (1, "stop"),
    ]


def test_sources_probabilities_and_pictures_come_along():
    source = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}
    token = {"token": "a", "logprob": -0.1}
    logged = frame(
        choices=[{"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [token]}, "finish_reason": None}]
    )
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    found = events(logged + said(annotations=[source]) + said(images=[picture]) + STOP + DONE)
    assert Cited(0, Citation("u", "t", 0, 1, raw=source, dialect="openai_chat")) in found
    assert LogprobsGiven(0, (token,)) in found
    assert PartClosed(1, Image(data="iVBORw0KGgo=", media_type="image/png")) in found


def test_thinking_that_must_come_back_is_given_as_a_blob():
    """D94."""
    stream = said(reasoning_content="h") + said(reasoning_content="m") + said(content="a") + STOP
    found = events(stream, "wants_reasoning_content", family="deepseek")
    assert BlobGiven(0, Blob("thinking", "hm", "openai_chat", "deepseek")) in found
    assert not any(isinstance(event, BlobGiven) for event in events(stream))


def test_a_routers_record_of_thinking_is_kept_whole():
    first = {"type": "reasoning.text", "text": "h", "index": 0}
    then = {"type": "reasoning.text", "text": "m", "signature": "s", "index": 0}
    found = events(said(reasoning="h", reasoning_details=[first]) + said(reasoning_details=[then]) + STOP)
    (given,) = [event for event in found if isinstance(event, BlobGiven)]
    assert given.blob.value == '[{"type":"reasoning.text","text":"hm","index":0,"signature":"s"}]'
    assert "".join(event.text for event in found if isinstance(event, ReasoningDelta)) == "hm"
