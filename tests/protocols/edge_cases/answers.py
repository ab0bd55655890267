"""A minimal answer of each dialect, whole and as a stream, written from the vendors' descriptions: it says `Hello`."""

import json
from typing import Any

from tests.protocols.edge_cases.canned import events

_MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
}
_RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": []}
_CHUNK = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
_CLAUDE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}

WHOLE: dict[str, Any] = {
    "openai_chat": {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    },
    "openai_responses": {
        **_RESPONSE,
        "status": "completed",
        "output": [_MESSAGE],
        "usage": {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4},
    },
    "anthropic": {
        **_CLAUDE,
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 1},
    },
    "gemini": {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4},
        "modelVersion": "m",
    },
    "ollama": {
        "model": "m",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": "Hello"},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 3,
        "eval_count": 1,
    },
}


def whole(dialect: str) -> bytes:
    """Return the whole answer."""
    return json.dumps(WHOLE[dialect]).encode()


def stream(dialect: str) -> bytes:
    """Return the stream."""
    return _STREAMS[dialect]


_STREAMS = {
    "openai_chat": events(
        {**_CHUNK, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}, "finish_reason": None}]},
        {**_CHUNK, "choices": [{"index": 0, "delta": {"content": "lo"}, "finish_reason": None}]},
        {**_CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**_CHUNK, "choices": [], "usage": WHOLE["openai_chat"]["usage"]},
        "[DONE]",
    ),
    "openai_responses": events(
        {"type": "response.created", "response": {**_RESPONSE, "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**_MESSAGE, "content": []}},
        {
            "type": "response.output_text.delta",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": "Hel",
        },
        {
            "type": "response.output_text.delta",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": "lo",
        },
        {"type": "response.output_item.done", "output_index": 0, "item": _MESSAGE},
        {"type": "response.completed", "response": WHOLE["openai_responses"]},
        named=True,
    ),
    "anthropic": events(
        {
            "type": "message_start",
            "message": {
                **_CLAUDE,
                "content": [],
                "stop_reason": None,
                "usage": {"input_tokens": 3, "output_tokens": 1},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
        named=True,
    ),
    "gemini": events(
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hel"}]}, "index": 0}], "modelVersion": "m"},
        {
            "candidates": [
                {"content": {"role": "model", "parts": [{"text": "lo"}]}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": WHOLE["gemini"]["usageMetadata"],
            "modelVersion": "m",
        },
    ),
    "ollama": b"".join(
        json.dumps(line).encode() + b"\n"
        for line in (
            {"model": "m", "created_at": "x", "message": {"role": "assistant", "content": "Hel"}, "done": False},
            {**WHOLE["ollama"], "message": {"role": "assistant", "content": "lo"}},
        )
    ),
}
