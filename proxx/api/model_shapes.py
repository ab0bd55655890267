"""One offered model, and pages of them, in the words of each dialect's clients. The facts come from the snapshot."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from proxx.api import codex_shape
from routing.snapshot import ModelEntry


def openai(entry: ModelEntry) -> dict[str, Any]:
    """Return a model as OpenAI lists it; `metadata` is an addition of ours that its clients ignore."""
    shape: dict[str, Any] = {"id": entry.id, "object": "model", "created": entry.created, "owned_by": entry.owned_by}
    if entry.metadata:
        shape["metadata"] = entry.metadata
    return shape


def anthropic(entry: ModelEntry) -> dict[str, Any]:
    """Return a model as Anthropic lists it."""
    shape: dict[str, Any] = {
        "type": "model",
        "id": entry.id,
        "display_name": entry.id,
        "created_at": datetime.fromtimestamp(entry.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    shape["max_input_tokens"] = entry.metadata.get("context_window")
    shape["max_tokens"] = entry.metadata.get("max_output_tokens")
    return shape


def gemini(entry: ModelEntry) -> dict[str, Any]:
    """Return a model as Gemini lists it; limits only where they are known."""
    shape: dict[str, Any] = {
        "name": f"models/{entry.id}",
        "version": "001",
        "displayName": entry.id,
        "supportedGenerationMethods": ["generateContent", "countTokens", "streamGenerateContent"],
    }
    if entry.metadata.get("context_window"):
        shape["inputTokenLimit"] = entry.metadata["context_window"]
    if entry.metadata.get("max_output_tokens"):
        shape["outputTokenLimit"] = entry.metadata["max_output_tokens"]
    if entry.metadata.get("supports_reasoning") is not None:
        shape["thinking"] = bool(entry.metadata["supports_reasoning"])
    return shape


def openai_page(entries: Sequence[ModelEntry], _query: dict[str, str]) -> dict[str, Any]:
    """Return all models at once, as OpenAI does."""
    return {"object": "list", "data": [openai(entry) for entry in entries]}


def anthropic_page(entries: Sequence[ModelEntry], query: dict[str, str]) -> dict[str, Any]:
    """Return one page: `limit` (20, at most 1000) models after `after_id` or before `before_id`."""
    size = min(_whole(query.get("limit"), 20), 1000)
    ids = [entry.id for entry in entries]
    if query.get("before_id") in ids:
        end = ids.index(query["before_id"])
        start = max(0, end - size)
        more = start > 0
    else:
        start = ids.index(query["after_id"]) + 1 if query.get("after_id") in ids else 0
        end = min(len(ids), start + size)
        more = end < len(ids)
    page = [anthropic(entry) for entry in entries[start:end]]
    first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
    return {"data": page, "has_more": more, "first_id": first, "last_id": last}


def gemini_page(entries: Sequence[ModelEntry], query: dict[str, str]) -> dict[str, Any]:
    """Return one page of `pageSize` (50, at most 1000) models; the token of the next page is where it begins."""
    size = min(_whole(query.get("pageSize"), 50), 1000)
    start = _whole(query.get("pageToken"), 0)
    page: dict[str, Any] = {"models": [gemini(entry) for entry in entries[start : start + size]]}
    if start + size < len(entries):
        page["nextPageToken"] = str(start + size)
    return page


def _whole(text: str | None, usual: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0 else usual


ONE = {"openai_chat": openai, "anthropic": anthropic, "gemini": gemini}
PAGE = {"openai_chat": openai_page, "anthropic": anthropic_page, "gemini": gemini_page, "codex": codex_shape.page}
