"""Annotations of output text and the hub's citations, both ways."""

from collections.abc import Iterable
from typing import Any

from proxx.protocols.hub.parts import Citation
from proxx.protocols.openai_responses.dialect import NAME


def read_annotation(raw: dict[str, Any]) -> Citation:
    """Read one annotation of any type; what only this dialect knows stays in `raw`."""
    start, end = raw.get("start_index"), raw.get("end_index")
    return Citation(
        url=_text(raw.get("url")),
        title=_text(raw.get("title")) or _text(raw.get("filename")),
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
        raw=raw,
        dialect=NAME,
    )


def read_annotations(raw: object) -> tuple[Citation, ...]:
    """Read a list of annotations; what is none is left out."""
    found: Iterable[object] = raw if isinstance(raw, list) else ()
    return tuple(read_annotation(one) for one in found if isinstance(one, dict))


def annotation(citation: Citation, *, length: int) -> dict[str, Any] | None:
    """Return a citation as an annotation of a text of `length` characters; None where it names no page.

    Clients demand both indexes: where none were said, the citation stands for the whole text so far.
    """
    if citation.dialect == NAME and citation.raw is not None:
        return citation.raw
    if not citation.url:
        return None
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title,
        "start_index": 0 if citation.start is None else citation.start,
        "end_index": length if citation.end is None else citation.end,
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
