"""Hub parts -> Gemini's parts, as objects to be encoded."""

import base64
from typing import Any

import orjson

from proxx.protocols.hub.arguments import object_of
from proxx.protocols.hub.blobs import wrap
from proxx.protocols.hub.parts import Audio, Blob, Citation, File, Hosted, Image, Opaque, Part

DIALECT = "gemini"

GemPart = dict[str, Any]


def signature(blob: Blob) -> str:
    """Return what stands in `thoughtSignature`: base64 by its type, so another vendor's blob is wrapped and encoded."""
    return blob.value if blob.dialect == DIALECT else base64.b64encode(wrap(blob).encode()).decode()


def signed(part: GemPart, blob: Blob | None) -> GemPart:
    """Return the part with its blob, if it has one."""
    return part if blob is None else {**part, "thoughtSignature": signature(blob)}


def call_part(id: str, name: str, args: str, blob: Blob | None) -> GemPart:
    """Return a call; raise `NoObject` where its arguments are none."""
    call: GemPart = {"name": name, "args": orjson.Fragment(object_of(args, name))}
    return signed({"functionCall": {"id": id, **call} if id else call}, blob)


def whole_parts(part: Part) -> list[GemPart]:
    """Return what a part that comes entire looks like; empty for what Gemini has no word for."""
    match part:
        case Image(data=data) | Audio(data=data) | File(data=data) if data:
            return [{"inlineData": {"mimeType": part.media_type, "data": data}}]
        case Image(url=url) | File(url=url) if url:
            return [{"fileData": {"mimeType": part.media_type or "application/octet-stream", "fileUri": url}}]
        case File(text=text) if text:
            return [{"text": text}]
        case Hosted(dialect="gemini", kind=kind) if kind not in ("web_search", "web_fetch"):
            return list(part.raw)
        case Opaque(dialect="gemini"):
            return [part.raw]
    return []


class Sources:
    """The sources of one candidate's answer, told with its end as `groundingMetadata`."""

    __slots__ = ("_citations", "_hits", "_queries", "_text")

    def __init__(self) -> None:
        self._text: dict[int, list[str]] = {}
        self._citations: list[tuple[int, Citation]] = []
        self._queries: list[str] = []
        self._hits: dict[str, str] = {}

    def said(self, part: int, text: str) -> None:
        """Note a text's words: places are counted in their bytes."""
        self._text.setdefault(part, []).append(text)

    def cited(self, part: int, citation: Citation) -> None:
        """Note a source of a text."""
        self._citations.append((part, citation))
        self._hits.setdefault(citation.url, citation.title)

    def searched(self, hosted: Hosted) -> None:
        """Note a search that the vendor made."""
        if hosted.query:
            self._queries.append(hosted.query)
        for hit in hosted.hits:
            self._hits.setdefault(hit.url, hit.title)

    def metadata(self) -> GemPart:
        """Return the object; empty if there are no sources."""
        if not self._hits and not self._queries:
            return {}
        urls = list(self._hits)
        found: GemPart = {"webSearchQueries": self._queries} if self._queries else {}
        found["groundingChunks"] = [{"web": {"uri": url, "title": title}} for url, title in self._hits.items()]
        supports = [self._support(part, citation, urls.index(citation.url)) for part, citation in self._citations]
        if supports:
            found["groundingSupports"] = supports
        return found

    def _support(self, part: int, citation: Citation, number: int) -> GemPart:
        text = "".join(self._text.get(part, ()))
        start, end = citation.start or 0, len(text) if citation.end is None else citation.end
        segment: GemPart = {"endIndex": _bytes(text[:end]), "text": citation.cited_text or text[start:end]}
        if start:
            segment["startIndex"] = _bytes(text[:start])
        return {"segment": segment, "groundingChunkIndices": [number]}


def logprobs_result(tokens: list[dict[str, Any]]) -> GemPart:
    """Return token objects of OpenAI's shape as Gemini writes them."""
    tops = [{"candidates": [_token(one) for one in token.get("top_logprobs") or ()]} for token in tokens]
    return {"chosenCandidates": [_token(one) for one in tokens], "topCandidates": tops}


def _token(token: dict[str, Any]) -> GemPart:
    return {"token": token.get("token", ""), "logProbability": token.get("logprob", 0.0)}


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
