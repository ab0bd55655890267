"""How a written Responses stream ends: every reason, counts, failures, compactions."""

import pytest

from proxx.protocols.hub.blobs import unwrap
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Event, PartClosed, PartOpened, ReasoningDelta, TextDelta, Usage
from proxx.protocols.openai_responses.write_reply import ReplyWriter
from tests.protocols.openai_responses.bodies import message, request
from tests.protocols.openai_responses.replies import call, output, reply, text, types
from tests.protocols.openai_responses.streams import occasion, parsed, write


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("stop", "completed", None),
        ("stop_sequence", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("context_window", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("refusal", "incomplete", "content_filter"),
        ("other", "completed", None),
        ("malformed_call", "failed", None),
        ("error", "failed", None),
    ],
)
def test_every_end_has_its_status(reason: str, status: str, why: str | None) -> None:
    """D58."""
    last = write(reply(*text(0, "x"), reason=reason))[-1]
    assert (last["type"], last["response"]["status"]) == (f"response.{status}", status)
    assert last["response"]["incomplete_details"] == ({"reason": why} if why else None)


def test_a_refusal_is_a_part_and_one_without_words_uses_those_of_its_explanation() -> None:
    events: list[Event] = [PartOpened(0, "refusal"), TextDelta(0, "I cannot"), PartClosed(0)]
    told = write(reply(*events, reason="refusal"))
    assert output(told)[0]["content"] == [{"type": "refusal", "refusal": "I cannot"}]
    assert told[-1]["type"] == "response.completed"
    silent = write(reply(reason="refusal", details={"explanation": "because"}))
    assert output(silent)[0]["content"] == [{"type": "refusal", "refusal": "because"}]


def test_an_empty_answer_is_told_as_it_is() -> None:
    """D62."""
    told = write(reply())
    assert types(told) == ["created", "in_progress", "completed"]
    assert output(told) == []
    assert write(reply(reason="other"))[-1]["type"] == "response.failed"


def test_counts_are_complete_and_estimated_only_where_nothing_was_reported() -> None:
    usage = Usage(9, 5, 4, 1, 2)
    assert write(reply(usage=usage))[-1]["response"]["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 14,
    }
    guessed = write(reply(*text(0, "some words here")), input_estimate=7)[-1]["response"]["usage"]
    assert guessed["input_tokens"] == 7
    assert guessed["output_tokens"] > 0


def test_a_failure_ends_the_stream_in_step_and_keeps_what_was_complete() -> None:
    """D151."""
    writer = ReplyWriter(occasion())
    begun = parsed(b"".join(writer.write([event]) for event in reply(*call(0, "{}"), *text(1, "a"))[:7]))
    failed = parsed(writer.fail(ErrorFacts("rate_limit", "Please try again in 20s.")))
    assert [event["type"] for event in failed] == ["response.failed"]
    assert failed[0]["sequence_number"] == len(begun)
    told = failed[0]["response"]
    assert told["error"] == {"code": "rate_limit_exceeded", "message": "Please try again in 20s."}
    assert [item["type"] for item in told["output"]] == ["function_call"]
    assert writer.write(reply()) == b""
    assert writer.fail(ErrorFacts("internal", "x")) == b""


def test_a_failure_may_come_first() -> None:
    """D151, D152."""
    told = parsed(ReplyWriter(occasion()).fail(ErrorFacts("context_length", "Too long.")))
    assert types(told) == ["created", "in_progress", "failed"]
    assert told[-1]["response"]["error"]["code"] == "context_length_exceeded"


def test_a_compaction_is_exactly_one_item_whatever_the_upstream_said() -> None:
    """D168."""
    asked = request(message("user", "u"), {"type": "compaction_trigger"})
    thought: list[Event] = [PartOpened(0, "reasoning"), ReasoningDelta(0, "hm"), PartClosed(0)]
    told = write(reply(*thought, *text(1, "we did ", "X")), asked)
    (item,) = output(told)
    blob = unwrap(item["encrypted_content"])
    assert item["type"] == "compaction"
    assert blob is not None
    assert (blob.value, blob.dialect) == ("we did X", "gateway")
    assert types(told) == ["created", "in_progress", "output_item.added", "output_item.done", "completed"]
    again = request({k: v for k, v in item.items() if k != "id"}, message("user", "go on"))
    assert "we did X" in str(again.instructions)
    assert write(reply(), asked)[-1]["type"] == "response.failed"
