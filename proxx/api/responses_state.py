"""Responses that were kept here (gateway/kept.py), asked for by their ids.

One that a provider keeps is not known here: who made it is not recorded for longer than the next call needs.
"""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from accounts import scopes
from proxx.api.auth import Policy
from proxx.gateway import kept
from proxx.gateway.errors import BadRequest, Forbidden, NotFound
from proxx.gateway.kept import Kept
from routing import reload

router = Router(auth=Policy(scopes.RESPONSES), tags=["OpenAI"])

USUAL, MOST = 20, 100  # items of one page


@router.get("/v1/responses/{id}", summary="A kept response")
async def retrieve(request: HttpRequest, id: str) -> HttpResponse:
    """Return a response as it was answered."""
    found = await _found(request, id)
    if request.GET.get("stream", "false").lower() not in ("false", "0", ""):
        raise BadRequest("A kept response is not streamed again. Ask for it without 'stream'.", param="stream")
    return _json(found.resource)


@router.delete("/v1/responses/{id}", summary="Forget a kept response")
async def delete(request: HttpRequest, id: str) -> HttpResponse:
    """Forget a response."""
    await _found(request, id)
    await kept.forget(_owner(request), id)
    return _json({"id": id, "object": "response", "deleted": True})


@router.post("/v1/responses/{id}/cancel", summary="Cancel a response in the background")
async def cancel(request: HttpRequest, id: str) -> HttpResponse:
    """Refuse: what is kept is complete."""
    await _found(request, id)
    raise BadRequest(
        "Only responses made in the background can be cancelled; this one is complete.", code="not_running"
    )


@router.get("/v1/responses/{id}/input_items", summary="What a kept response answered")
async def input_items(request: HttpRequest, id: str) -> HttpResponse:
    """List the input items of a response, without those of the responses before it."""
    found = await _found(request, id)
    items = [_with_id(raw, f"{id[5:]}{place:04x}") for place, raw in enumerate(found.input)]
    if request.GET.get("order") != "asc":
        items.reverse()
    after = request.GET.get("after")
    if after:
        places = [place for place, item in enumerate(items) if item["id"] == after]
        if not places:
            raise BadRequest(f"No item has the id '{after[:100]}'.", param="after")
        items = items[places[0] + 1 :]
    page = items[: _limit(request.GET.get("limit", ""))]
    ends = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
    return _json({"object": "list", "data": page, **ends, "has_more": len(page) < len(items)})


def _limit(said: str) -> int:
    if not said:
        return USUAL
    if not said.isdecimal() or not 1 <= int(said[:4]) <= MOST:
        raise BadRequest(f"'limit' must be a number from 1 to {MOST}.", param="limit")
    return int(said)


def _owner(request: HttpRequest) -> str:
    holder = request.auth  # type: ignore[attr-defined]
    tenant = reload.current().tenants.get(holder.tenant_id)
    if tenant is None or not tenant.is_active:
        raise Forbidden("This tenant is not active.", code="tenant_inactive")
    return kept.owner_of(holder)


async def _found(request: HttpRequest, id: str) -> Kept:
    found = await kept.find(_owner(request), id)
    if found is None:
        raise NotFound(f"Response with id '{id[:100]}' not found.", code="response_not_found", param="id")
    return found


def _with_id(raw: msgspec.Raw, made: str) -> dict[str, Any]:
    item: dict[str, Any] = msgspec.json.decode(raw)
    return {"id": f"msg_{made}", **item}


def _json(value: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(value), content_type="application/json")


# The same without /v1 (F-014).
router.get("/responses/{id}", include_in_schema=False)(retrieve)
router.delete("/responses/{id}", include_in_schema=False)(delete)
router.post("/responses/{id}/cancel", include_in_schema=False)(cancel)
router.get("/responses/{id}/input_items", include_in_schema=False)(input_items)
