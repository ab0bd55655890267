"""Whole replies and errors, written for a Responses client."""

import json
from typing import Any

import pytest

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Finished
from proxx.protocols.hub.parts import Text
from proxx.protocols.hub.reply import Choice, Reply
from proxx.protocols.openai_responses.write_reply import write_error, write_stream_error, write_whole
from tests.protocols.openai_responses.bodies import request
from tests.protocols.openai_responses.streams import occasion, parsed

REPLY = Reply((Choice((Text("Hello"),), Finished("stop")),))
FORGOTTEN = (
    "completed_at",
    "incomplete_details",
    "previous_response_id",
    "instructions",
    "error",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "store",
    "background",
    "service_tier",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
)


def whole(asked: Any = None, **members: Any) -> dict[str, Any]:
    return json.loads(write_whole(REPLY, occasion(asked, **members)))


def test_the_resource_has_every_member_that_is_often_forgotten() -> None:
    told = whole()
    assert [name for name in FORGOTTEN if name not in told] == []
    assert (told["object"], told["status"], told["model"], told["created_at"]) == (
        "response",
        "completed",
        "alias",
        1700,
    )
    assert set(told["usage"]) == {
        "input_tokens",
        "input_tokens_details",
        "output_tokens",
        "output_tokens_details",
        "total_tokens",
    }


def test_what_was_asked_is_repeated() -> None:
    function = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
    group = {"type": "namespace", "name": "n", "tools": [function, {**function, "name": "g"}]}
    schema = {"type": "json_schema", "name": "s", "schema": {"type": "object"}, "strict": True}
    told = whole(
        request(
            instructions="be kind",
            tools=[group, function],
            tool_choice={"type": "function", "name": "f"},
            temperature=0.5,
            max_output_tokens=99,
            text={"format": schema},
            reasoning={"effort": "none"},
            metadata={"a": "b"},
            store=False,
            parallel_tool_calls=False,
            service_tier="flex",
        )
    )
    assert told["instructions"] == "be kind"
    assert told["tools"] == [group, function]
    assert told["tool_choice"] == {"type": "function", "name": "f"}
    assert told["text"]["format"] == {**schema, "description": None}
    assert (told["temperature"], told["max_output_tokens"], told["store"]) == (0.5, 99, False)
    assert (told["reasoning"]["effort"], told["metadata"], told["service_tier"]) == ("none", {"a": "b"}, "flex")
    assert told["parallel_tool_calls"] is False


def test_it_was_completed_when_it_was() -> None:
    assert whole(elapsed_ns=lambda: 2_500_000_000)["completed_at"] == 1702


def test_the_path_that_only_compacts_has_a_resource_of_its_own() -> None:
    from proxx.protocols.hub.losses import Losses
    from proxx.protocols.hub.request import Envelope
    from proxx.protocols.openai_responses.read_request import read_request

    envelope = Envelope("openai_responses", "m", False, False, b'{"model":"m","input":"x"}', form="compact")
    told = whole(read_request(envelope, Losses()), form="compact")
    assert (told["object"], [item["type"] for item in told["output"]]) == ("response.compaction", ["compaction"])
    assert set(told) == {"id", "object", "created_at", "output", "usage"}


@pytest.mark.parametrize(
    ("kind", "type_", "code"),
    [
        ("invalid_request", "invalid_request_error", None),
        ("context_length", "invalid_request_error", "context_length_exceeded"),
        ("billing", "insufficient_quota", "insufficient_quota"),
        ("rate_limit", "rate_limit_error", "rate_limit_exceeded"),
        ("overloaded", "server_error", "server_is_overloaded"),
    ],
)
def test_an_error_has_the_vendors_type_and_code(kind: str, type_: str, code: str | None) -> None:
    told = json.loads(write_error(ErrorFacts(kind, "m", param="p")))["error"]
    assert told == {"message": "m", "type": type_, "param": "p", "code": code}


def test_an_error_in_a_stream_of_which_nothing_is_known_is_a_failed_response() -> None:
    """D150, D151."""
    (event,) = parsed(write_stream_error(ErrorFacts("timeout", "m")))
    assert (event["type"], event["sequence_number"]) == ("response.failed", 0)
    assert event["response"]["error"] == {"code": "timeout", "message": "m"}
