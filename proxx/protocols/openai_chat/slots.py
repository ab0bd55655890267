"""Places where this dialect keeps what has no member of its own: sources of a text, signatures of a call."""

from typing import Any

from proxx.protocols.hub import blobs
from proxx.protocols.hub.parts import Blob, Citation
from proxx.protocols.openai_chat.dialect import NAME

Json = dict[str, Any]


def read_source(raw: object) -> Citation | None:
    """Read one annotation; None for another kind than a source with an address."""
    inner = raw.get("url_citation") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(inner, dict) or not isinstance(inner.get("url"), str):
        return None
    title, start, end = inner.get("title"), inner.get("start_index"), inner.get("end_index")
    return Citation(
        url=inner["url"],
        title=title if isinstance(title, str) else "",
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
        raw=raw,
        dialect=NAME,
    )


def write_source(citation: Citation, offset: int = 0) -> Json:
    """Return a source as an annotation; `offset` is where the cited text begins in the whole content."""
    start = offset + (citation.start or 0)
    return {
        "type": "url_citation",
        "url_citation": {
            "url": citation.url,
            "title": citation.title,
            "start_index": start,
            "end_index": start if citation.end is None else offset + citation.end,
        },
    }


def read_signature(extra: object) -> Blob | None:
    """Return what Google's models signed a message or call with, from its `extra_content`."""
    google = extra.get("google") if isinstance(extra, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    if not isinstance(signature, str) or not signature:
        return None
    return blobs.received(signature, kind="thought", dialect="gemini", family="gemini")


def write_signature(value: str) -> Json:
    """Return `extra_content` with a signature."""
    return {"google": {"thought_signature": value}}
