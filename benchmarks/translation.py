"""What translating one event of a stream costs beyond letting it pass: `python -m benchmarks.translation`.

Every pair of dialects, in this process, without sockets: the upstream's reader, the mends, the client's writer, against
the watch that lets the same upstream's bytes pass. Paced: one event a read. Burst: a hundred events a read. Figures are
µs of CPU per event, the best of several rounds; the events are what a provider of that dialect sends for one word.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from proxx.protocols import registry
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.target import Target
from proxx.protocols.translation import StreamTranslation

EVENTS = 400
ROUNDS = 15


def words(dialect: str) -> tuple[bytes, list[bytes]]:
    """Return what opens a stream of this dialect, and `EVENTS` events of one word each."""
    opening, event = _KINDS[dialect]
    return b"".join(opening()), [event(f" word{index % 10}", index) for index in range(EVENTS)]


def _sse(data: dict[str, Any], *, end: bytes = b"\n\n") -> bytes:
    name = f"event: {data['type']}\n".encode() if "type" in data else b""
    return name + b"data: " + json.dumps(data, separators=(",", ":")).encode() + end


def _chat(delta: dict[str, Any]) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "gpt-x"}
    return _sse({**head, "choices": [choice]})


def _responses_opening() -> list[bytes]:
    response = {"id": "resp_1", "object": "response", "created_at": 1700000000, "status": "in_progress"}
    item = {"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return [
        _sse({"type": "response.created", "sequence_number": 0, "response": {**response, "model": "m", "output": []}}),
        _sse({"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": item}),
        _sse({"type": "response.content_part.added", "sequence_number": 2, **place, "part": part}),
    ]


def _responses_event(text: str, index: int) -> bytes:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    head = {"type": "response.output_text.delta", "sequence_number": index + 3}
    return _sse({**head, **place, "delta": text, "logprobs": []})


def _anthropic_opening() -> list[bytes]:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
    }
    message |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    return [_sse({"type": "message_start", "message": message}), _sse(block)]


def _anthropic_event(text: str, _index: int) -> bytes:
    return _sse({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})


def _gemini_event(text: str, _index: int) -> bytes:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    told = {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}}
    return _sse({**told, "modelVersion": "gemini-x", "responseId": "r1"}, end=b"\r\n\r\n")


def _ollama_event(text: str, _index: int) -> bytes:
    line = {"model": "glm-x", "created_at": "2026-01-01T00:00:00.000000Z"}
    said = {"message": {"role": "assistant", "content": text}, "done": False}
    return json.dumps({**line, **said}, separators=(",", ":")).encode() + b"\n"


_KINDS: dict[str, tuple[Callable[[], list[bytes]], Callable[[str, int], bytes]]] = {
    "openai_chat": (lambda: [_chat({"role": "assistant", "content": ""})], lambda text, _: _chat({"content": text})),
    "openai_responses": (_responses_opening, _responses_event),
    "anthropic": (_anthropic_opening, _anthropic_event),
    "gemini": (lambda: [_gemini_event(" word", 0)], _gemini_event),
    "ollama": (lambda: [_ollama_event(" word", 0)], _ollama_event),
}


def cost(make: Callable[[], Callable[[bytes], bytes]], first: bytes, pieces: list[bytes], events: int) -> float:
    """Return the best round's µs of CPU per event."""
    best = float("inf")
    for _ in range(ROUNDS):
        feed = make()
        feed(first)
        began = time.process_time()
        for piece in pieces:
            feed(piece)
        best = min(best, time.process_time() - began)
    return best / events * 1e6


def main() -> None:
    """Measure and print one line per pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--burst", type=int, default=100, help="events per read of a burst")
    size = parser.parse_args().burst
    print("| upstream -> client | paced | pass | more | burst | pass | more |\n|---|---|---|---|---|---|---|")
    for name, upstream in registry.PROTOCOLS.items():
        first, single = words(name)
        together = [b"".join(single[start : start + size]) for start in range(0, EVENTS, size)]

        def passing() -> Callable[[bytes], bytes]:
            return upstream.watch_stream(strip_usage=True, rename="").feed  # noqa: B023

        alone = [cost(passing, first, pieces, EVENTS) for pieces in (single, together)]
        for other, client in registry.PROTOCOLS.items():
            if other == name:
                continue

            def translating() -> Callable[[bytes], bytes]:
                occasion = Occasion(id="0" * 32, created=1700000000, model="alias", form="sse")
                target = Target(provider="p", model="m", dialect=name)  # noqa: B023
                reader = upstream.stream_reader(target, "0" * 32)  # noqa: B023
                return StreamTranslation(reader, (), client.stream_writer(occasion)).feed  # noqa: B023

            told = [cost(translating, first, pieces, EVENTS) for pieces in (single, together)]
            row = [f"{value:.1f}" for pair in zip(told, alone, strict=True) for value in (*pair, pair[0] - pair[1])]
            print(f"| {name} -> {other} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
