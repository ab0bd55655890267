"""Every dialect's watcher hears the word by which an answer ends, of a whole one and in a stream."""

import json

import pytest

from proxx.protocols import registry

CHAT = {"index": 0, "finish_reason": "length"}
RESPONSE = {
    "id": "resp_1",
    "status": "incomplete",
    "incomplete_details": {"reason": "max_output_tokens"},
    "output": [],
}
GEMINI = {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "MAX_TOKENS"}]}
OLLAMA = {"model": "m", "message": {"role": "assistant", "content": "x"}, "done": True, "done_reason": "length"}
MESSAGE = {"type": "message", "content": [{"type": "text", "text": "x"}], "stop_reason": "max_tokens"}
WHOLE = {
    "openai_chat": ({"choices": [{**CHAT, "message": {"content": "x"}}]}, "length"),
    "anthropic": (MESSAGE, "max_tokens"),
    "openai_responses": (RESPONSE, "max_output_tokens"),
    "gemini": (GEMINI, "MAX_TOKENS"),
    "ollama": (OLLAMA, "length"),
}
STREAMED = {
    "openai_chat": [{"choices": [{**CHAT, "delta": {}}]}, {"choices": [], "usage": {}}],
    "anthropic": [{"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}, {"type": "message_stop"}],
    "openai_responses": [{"type": "response.incomplete", "response": RESPONSE}],
    "gemini": [GEMINI],
    "ollama": [OLLAMA],
}


@pytest.mark.parametrize("dialect", WHOLE)
def test_a_whole_answer_says_why_it_ended(dialect):
    body, word = WHOLE[dialect]
    assert registry.get(dialect).watch_whole(json.dumps(body).encode()).finish == word


@pytest.mark.parametrize("dialect", STREAMED)
def test_a_stream_says_why_it_ended(dialect):
    watch = registry.get(dialect).watch_stream(strip_usage=False)
    for event in STREAMED[dialect]:
        data = json.dumps(event).encode()
        watch.feed(data + b"\n" if dialect == "ollama" else b"data: " + data + b"\n\n")
    watch.close()
    assert watch.seen.finish == WHOLE[dialect][1]


@pytest.mark.parametrize("dialect", WHOLE)
def test_an_answer_that_gives_no_word_has_none(dialect):
    assert registry.get(dialect).watch_whole(b"{}").finish == ""


def test_a_prompt_that_gemini_refuses_is_a_refusal():
    said = json.dumps({"promptFeedback": {"blockReason": "SAFETY"}}).encode()
    assert registry.get("gemini").watch_whole(said).finish == "refusal"
