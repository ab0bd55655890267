"""What Gemini says of its sources -> citations and hosted calls.

Places in a text are counted in bytes of UTF-8 there, in characters here.
"""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.gemini.read_reply.wire import NOTHING, anything
from proxx.protocols.hub.parts import Citation, Hosted, SearchHit

DIALECT = "gemini"
TOOL_KINDS = {
    "GOOGLE_SEARCH_WEB": "web_search",
    "GOOGLE_SEARCH_IMAGE": "web_search",
    "URL_CONTEXT": "web_fetch",
    "FILE_SEARCH": "file_search",
    "GOOGLE_MAPS": "maps",
}


def members(raw: msgspec.Raw) -> dict[str, Any]:
    """Return an object; empty for nothing, and for anything else."""
    data = bytes(raw)
    if data in NOTHING:
        return {}
    try:
        found = decode(anything, data)
    except FAULTS:
        return {}
    return found if isinstance(found, dict) else {}


def cited(grounding: dict[str, Any], citations: dict[str, Any], text: str) -> list[Citation]:
    """Return the citations of one text; those without a place, when nothing says which words they support."""
    places = _Places(text)
    pages = [_page(one) for one in _objects(grounding, "groundingChunks")]
    found: list[Citation] = []
    for support in _objects(grounding, "groundingSupports"):
        segment = support.get("segment")
        segment = segment if isinstance(segment, dict) else {}
        start, end = places.of(segment.get("startIndex", 0)), places.of(segment.get("endIndex"))
        words = segment.get("text") if isinstance(segment.get("text"), str) else ""
        for number in _list(support, "groundingChunkIndices"):
            if isinstance(number, int) and 0 <= number < len(pages) and pages[number].url:
                page = pages[number]
                found.append(Citation(page.url, page.title, start, end, str(words), support, DIALECT))
    for one in [*_objects(citations, "citations"), *_objects(citations, "citationSources")]:
        if isinstance(one.get("uri"), str):
            start, end = places.of(one.get("startIndex", 0)), places.of(one.get("endIndex"))
            found.append(Citation(one["uri"], _text(one, "title"), start, end, "", one, DIALECT))
    return found


def searched(grounding: dict[str, Any], number: int) -> Hosted | None:
    """Return the search behind an answer; None if there was none."""
    queries = [one for one in _list(grounding, "webSearchQueries") if isinstance(one, str)]
    hits = tuple(page for one in _objects(grounding, "groundingChunks") if (page := _page(one)).url)
    if not queries and not hits:
        return None
    return Hosted("web_search", f"search_{number}", "; ".join(queries), hits, "completed", (grounding,), DIALECT)


def fetched(urls: dict[str, Any], number: int) -> Hosted | None:
    """Return the pages that were fetched for an answer; None if there were none."""
    hits = tuple(SearchHit(url) for one in _objects(urls, "urlMetadata") if (url := _text(one, "retrievedUrl")))
    return Hosted("web_fetch", f"fetch_{number}", "", hits, "completed", (urls,), DIALECT) if hits else None


def queries_of(grounding: dict[str, Any]) -> int:
    """Return how many searches were made."""
    return len(_list(grounding, "webSearchQueries"))


def hosted_part(kind: str, number: int, part: dict[str, Any]) -> Hosted:
    """Return a hosted call or its result that stands among the parts, such as code and what it printed."""
    inner = next((value for value in part.values() if isinstance(value, dict)), {})
    kind = TOOL_KINDS.get(_text(inner, "toolType"), "hosted") if kind == "tool" else kind
    said = _text(inner, "code") or _text(inner, "output")
    return Hosted(kind, _text(inner, "id") or f"{kind}_{number}", said, (), "completed", (part,), DIALECT)


class _Places:
    """Places in bytes -> places in characters."""

    def __init__(self, text: str) -> None:
        self._characters = len(text)
        self._bytes = b"" if text.isascii() else text.encode(errors="replace")

    def of(self, place: object) -> int | None:
        if not isinstance(place, int) or isinstance(place, bool) or place < 0:
            return None
        if self._bytes:
            return len(self._bytes[:place].decode(errors="ignore"))
        return min(place, self._characters)


def _page(chunk: dict[str, Any]) -> SearchHit:
    for kind in ("web", "retrievedContext", "maps", "image"):
        found = chunk.get(kind)
        if isinstance(found, dict):
            return SearchHit(_text(found, "uri") or _text(found, "sourceUri"), _text(found, "title"))
    return SearchHit("")


def _objects(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in _list(holder, name) if isinstance(one, dict)]


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    found = holder.get(name)
    return found if isinstance(found, list) else []


def _text(holder: dict[str, Any], name: str) -> str:
    found = holder.get(name)
    return found if isinstance(found, str) else ""
