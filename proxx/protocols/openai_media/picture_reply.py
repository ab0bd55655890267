"""Pictures that a model drew with its tool, told as OpenAI's image endpoint would."""

from collections.abc import Sequence
from typing import Any

import orjson

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Ended, Event, PartClosed, Usage, UsageReported
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Hosted, Image, Part
from proxx.protocols.hub.reply import Reply
from proxx.protocols.openai_media.watching import write_stream_error

NO_PICTURE = ErrorFacts("upstream_malformed", "The model answered without drawing a picture.")

_TOLD = ("size", "quality", "background", "output_format")


def write_whole(reply: Reply, occasion: Occasion) -> bytes:
    """Return the body with all pictures; nothing if there is none."""
    items = [item for choice in reply.choices for part in choice.parts for item in _drawn(part)]
    if not items:
        return b""
    body: dict[str, Any] = {"created": occasion.created, "data": [_shown(item) for item in items]}
    return orjson.dumps(body | _settings(items[0]) | _used(reply.usage))


class PictureWriter:
    """Writes one picture as a stream: the one event that says it is done."""

    def __init__(self, occasion: Occasion) -> None:
        self._occasion = occasion
        self._items: list[dict[str, Any]] = []
        self._usage: Usage | None = None

    def write(self, events: Sequence[Event]) -> bytes:
        """Return the picture with the end, or the error that there is none."""
        for event in events:
            match event:
                case PartClosed(whole=whole) if whole is not None:
                    self._items += _drawn(whole)
                case UsageReported(usage=usage):
                    self._usage = usage
                case Ended():
                    return self._told()
        return b""

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the error that ends the stream."""
        return write_stream_error(facts)

    def _told(self) -> bytes:
        if not self._items:
            return self.fail(NO_PICTURE)
        kind = "image_generation.completed"
        head = {"type": kind, "created_at": self._occasion.created}
        told = [head | _shown(item) | _settings(item) | _used(self._usage) for item in self._items]
        return b"".join(b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps(one)) for one in told)


def _drawn(part: Part) -> list[dict[str, Any]]:
    match part:
        case Hosted(kind="image", raw=raw):
            return [item for item in raw if isinstance(item.get("result"), str) and item["result"]]
        case Image(data=data) if data:
            return [{"result": data}]
    return []


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    revised = item.get("revised_prompt")
    return {"b64_json": item["result"]} | ({"revised_prompt": revised} if isinstance(revised, str) else {})


def _settings(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in _TOLD if isinstance(item.get(name), str)}


def _used(usage: Usage | None) -> dict[str, Any]:
    if usage is None or usage.input_total is None or usage.output_total is None:
        return {}
    used = {"input_tokens": usage.input_total, "output_tokens": usage.output_total}
    details = {"text_tokens": usage.input_total, "image_tokens": 0}
    return {"usage": used | {"total_tokens": sum(used.values()), "input_tokens_details": details}}
