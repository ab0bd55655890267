"""What the vendor itself looked up or ran, as items of this dialect and as the hub's parts, both ways."""

from typing import Any

from proxx.protocols.hub.parts import Hosted, SearchHit
from proxx.protocols.openai_responses.dialect import HOSTED_ITEMS, NAME


def read_hosted(item: dict[str, Any]) -> Hosted:
    """Read an item of hosted work; `raw` keeps it whole."""
    kind = HOSTED_ITEMS.get(str(item.get("type")), str(item.get("type")).removesuffix("_call"))
    action = _object(item.get("action"))
    return Hosted(
        kind=kind,
        id=_text(item.get("id")),
        query=_query(item, action),
        hits=_hits(action.get("sources")) or _hits(item.get("results")),
        status=_text(item.get("status")) or "completed",
        raw=(item,),
        dialect=NAME,
    )


def hosted_items(part: Hosted, *, id: str) -> list[dict[str, Any]]:
    """Return hosted work as items: its own where it came from this dialect, a search where it was one elsewhere.

    Other work of other vendors has no item here; its fruits are in the text.
    """
    if part.dialect == NAME:
        return [dict(item) for item in part.raw]
    if part.kind == "web_search":
        sources = [{"type": "url", "url": hit.url} for hit in part.hits if hit.url]
        return [_search(id, part, {"type": "search", "query": part.query, "sources": sources})]
    if part.kind == "web_fetch":
        url = part.query or next((hit.url for hit in part.hits), "")
        return [_search(id, part, {"type": "open_page", "url": url})]
    return []


def _search(id: str, part: Hosted, action: dict[str, Any]) -> dict[str, Any]:
    status = "completed" if part.status == "completed" else "failed"
    return {"id": id, "type": "web_search_call", "status": status, "action": action}


def _query(item: dict[str, Any], action: dict[str, Any]) -> str:
    queries = action.get("queries") or item.get("queries")
    listed = "; ".join(one for one in queries if isinstance(one, str)) if isinstance(queries, list) else ""
    told = (action.get("query"), listed, action.get("url"), item.get("code"), item.get("name"))
    return next((one for one in told if isinstance(one, str) and one), "")


def _hits(found: object) -> tuple[SearchHit, ...]:
    listed = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    hits = (SearchHit(_text(one.get("url")), _text(one.get("title")) or _text(one.get("filename"))) for one in listed)
    return tuple(hit for hit in hits if hit.url or hit.title)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
