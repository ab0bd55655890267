"""What a request needs of a model, read from the request in no dialect: words of routing/question.py."""

from collections.abc import Iterable, Iterator

from proxx.protocols.hub.parts import Audio, File, Image, Part, ToolResult
from proxx.protocols.hub.request import Request

# Tools that a vendor runs are the provider's own business; all others the model must know how to call.
_HOSTED = ("web_search", "hosted")
_NO_THINKING = ("", "off", "dynamic")


def needs_of(request: Request) -> frozenset[str]:
    """Return what the request cannot do without."""
    found = {need for part in _parts(request) if (need := _of_part(part))}
    if any(tool.kind not in _HOSTED for tool in request.tools):
        found.add("tools")
    if request.output.format == "schema":
        found.add("schema")
    if request.reasoning.effort not in _NO_THINKING:
        found.add("reasoning")
    return frozenset(found)


def media_bytes(request: Request) -> int:
    """Return how many bytes of its body are media in base64."""
    return sum(len(part.data) for part in _parts(request) if isinstance(part, Image | File | Audio))


def _of_part(part: Part) -> str:
    match part:
        case Image():
            return "images"
        case Audio():
            return "audio"
        case File():
            return _of_file(part)
        case _:
            return ""


def _of_file(file: File) -> str:
    kind = file.media_type.lower()
    if kind.startswith("image/"):
        return "images"
    if kind.startswith("audio/"):
        return "audio"
    return "pdf" if kind == "application/pdf" or file.filename.lower().endswith(".pdf") else ""


def _parts(request: Request) -> Iterator[Part]:
    for turn in (*request.instructions, *request.turns):
        yield from _spread(turn.parts)


def _spread(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        if isinstance(part, ToolResult):
            yield from _spread(part.parts)
