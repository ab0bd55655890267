"""Pictures from a model that draws: the request it gets, and its answer told as the image endpoint would."""

import json
from typing import Any

import pytest

from proxx.protocols import registry
from proxx.protocols.hub.errors import ErrorFacts, Inexpressible, Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.reply import fold, joined
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from proxx.protocols.translation import StreamTranslation

IMAGES = registry.get("openai_images")
RESPONSES = registry.get("openai_responses")
CODEX = Target("openai", "gpt-5.2-codex", "openai_responses", frozenset({"codex_backend"}))
OCCASION = Occasion("0" * 32, 1700000000, "gpt-image-1")
DRAWN = {
    "id": "ig_1", "type": "image_generation_call", "status": "completed", "result": "iVBORw0KGgo=",
    "revised_prompt": "a small cat", "size": "1024x1024", "quality": "high", "output_format": "png",
}  # fmt: skip
USAGE = {
    "input_tokens": 11, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 18,
}  # fmt: skip


def asked(losses: Losses | None = None, **body: Any) -> Request:
    raw = json.dumps({"model": "gpt-image-1", "prompt": "a cat", **body}).encode()
    return IMAGES.read_request(IMAGES.read_envelope(raw), losses or Losses())


def event(kind: str, number: int, **members: Any) -> bytes:
    data = {"type": kind, "sequence_number": number, **members}
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def stream(*items: dict[str, Any]) -> bytes:
    resource = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5.2-codex", "output": []}
    told = [event("response.created", 0, response={**resource, "status": "in_progress"})]
    for index, item in enumerate(items):
        told.append(
            event("response.output_item.added", 2 * index + 1, output_index=index, item={**item, "result": None})
        )
        told.append(event("response.output_item.done", 2 * index + 2, output_index=index, item=item))
    done = {**resource, "status": "completed", "usage": USAGE}
    return b"".join([*told, event("response.completed", 2 * len(items) + 1, response=done)])


def reply(raw: bytes) -> Any:
    reader = RESPONSES.stream_reader(CODEX, "0" * 32)
    return fold([*reader.feed(raw), *reader.close()])


def test_the_backend_is_told_to_draw_with_the_wished_settings() -> None:
    """F-226."""
    wishes = {"size": "1024x1536", "quality": "high", "background": "transparent", "output_format": "webp"}
    body = json.loads(RESPONSES.write_request(asked(**wishes), CODEX, Losses()).body)
    assert body["model"] == "gpt-5.2-codex"
    assert body["tools"] == [{"type": "image_generation", **wishes}]
    assert (body["tool_choice"], body["stream"], body["store"]) == ("required", True, False)
    assert "a cat" in json.dumps(body["input"])


def test_what_the_tool_has_no_setting_for_is_dropped_by_name() -> None:
    losses = Losses()
    asked(losses, moderation="low", style="vivid", partial_images=2, user="u")
    assert sorted(note.partition(";")[0] for note in losses.notes) == ["moderation", "partial_images", "style"]


@pytest.mark.parametrize("body", [{"response_format": "url"}, {"n": 2, "stream": True}])
def test_what_would_give_another_answer_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Inexpressible):
        asked(**body)


@pytest.mark.parametrize("body", [{"prompt": ""}, {"prompt": 7}, {"n": 0}, {"n": 11}, {"n": "two"}])
def test_what_is_no_request_is_refused_by_name(body: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as caught:
        asked(**body)
    assert caught.value.param == next(iter(body))


def test_an_upstream_that_has_no_such_tool_is_passed_over() -> None:
    with pytest.raises(Inexpressible):
        RESPONSES.write_request(asked(), Target("elsewhere", "m", "openai_responses"), Losses())


def test_the_picture_comes_back_with_the_prompt_that_was_drawn() -> None:
    """F-226."""
    body = json.loads(IMAGES.write_whole(reply(stream(DRAWN)), OCCASION))
    assert body["data"] == [{"b64_json": "iVBORw0KGgo=", "revised_prompt": "a small cat"}]
    assert (body["created"], body["size"], body["output_format"]) == (1700000000, "1024x1024", "png")
    assert (body["usage"]["input_tokens"], body["usage"]["output_tokens"], body["usage"]["total_tokens"]) == (11, 7, 18)


def test_several_pictures_are_several_requests_and_one_answer() -> None:
    assert asked(n=3).repeats == 3
    body = json.loads(IMAGES.write_whole(joined([reply(stream(DRAWN)), reply(stream(DRAWN))]), OCCASION))
    assert (len(body["data"]), body["usage"]["total_tokens"]) == (2, 36)


def test_an_answer_without_a_picture_is_none() -> None:
    assert IMAGES.write_whole(reply(stream()), OCCASION) == b""


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stream_ends_with_the_picture(size: int) -> None:
    watch = StreamTranslation(RESPONSES.stream_reader(CODEX, "0" * 32), (), IMAGES.stream_writer(OCCASION))
    raw = stream(DRAWN)
    told = b"".join(watch.feed(raw[at : at + size]) for at in range(0, len(raw), size)) + watch.close()
    name, data = told.decode().strip().split("\n")
    assert name == "event: image_generation.completed"
    assert json.loads(data.removeprefix("data: "))["b64_json"] == "iVBORw0KGgo="


def test_a_stream_without_a_picture_says_so() -> None:
    watch = StreamTranslation(RESPONSES.stream_reader(CODEX, "0" * 32), (), IMAGES.stream_writer(OCCASION))
    assert b'"error"' in watch.feed(stream()) + watch.close()
    assert b'"error"' in watch.fail(ErrorFacts("upstream_truncated", "It broke off."))
