"""Media that stand in a request by their address, and the request with what was found there in their place."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeGuard

import msgspec

from proxx.protocols.hub.media import sniffed
from proxx.protocols.hub.parts import File, Image, Part, ToolResult
from proxx.protocols.hub.request import Request

Wanted = Callable[[Image | File], bool]


def addresses(request: Request, wanted: Wanted) -> list[str]:
    """Return the addresses of the media that are wanted, each once, in their order."""
    parts = (part for turn in request.turns for part in _within(turn.parts))
    return list(dict.fromkeys(part.url for part in parts if _is_wanted(part, wanted)))


def is_medium(data: str) -> bool:
    """Tell whether base64 `data` are a picture or a PDF, as the first bytes say, not as anybody declares."""
    return sniffed(data, "").startswith(("image/", "application/pdf"))


def filled(request: Request, found: Mapping[str, tuple[str, str]], wanted: Wanted) -> Request:
    """Return the request with media in the place of their addresses, as far as they were found: base64, and the media
    type that their sender named."""
    turns = tuple(msgspec.structs.replace(turn, parts=_filled(turn.parts, found, wanted)) for turn in request.turns)
    return msgspec.structs.replace(request, turns=turns)


def _within(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        yield part
        if isinstance(part, ToolResult):
            yield from part.parts


def _is_wanted(part: Any, wanted: Wanted) -> TypeGuard[Image | File]:
    is_address = isinstance(part, Image | File) and part.url[:8].lower().startswith(("http://", "https://"))
    return is_address and not part.data and wanted(part)


def _filled(parts: tuple[Part, ...], found: Mapping[str, tuple[str, str]], wanted: Wanted) -> tuple[Part, ...]:
    return tuple(_one(part, found, wanted) for part in parts)


def _one(part: Part, found: Mapping[str, tuple[str, str]], wanted: Wanted) -> Part:
    if isinstance(part, ToolResult):
        return msgspec.structs.replace(part, parts=_filled(part.parts, found, wanted))
    if not _is_wanted(part, wanted) or part.url not in found:
        return part
    data, declared = found[part.url]
    return msgspec.structs.replace(part, url="", data=data, media_type=sniffed(data, declared))
