"""Wishes on a request in no dialect, on its way to whichever upstream; the twin of bodies.py."""

from typing import Any

import msgspec

from proxx.protocols.hub.request import HostedConfig, ReasoningWish, Request, ToolSpec
from proxx.protocols.hub.target import Target
from proxx.protocols.profile.bodies import SEARCHES
from proxx.protocols.profile.options import Wishes

WEB_SEARCH = "web_search"


def edited(request: Request, wishes: Wishes, target: Target) -> Request:
    """Return the request with the wishes of its profile; the very same if they change nothing."""
    if request.texts is not None:
        return request
    changes: dict[str, Any] = {}
    if wishes.temperature is not None and target.facts.sampling is not False:
        changes["sampling"] = msgspec.structs.replace(request.sampling, temperature=wishes.temperature)
    if wishes.web_search and not request.tools and _can_search(request, target):
        spec = ToolSpec(WEB_SEARCH, WEB_SEARCH, request.dialect, hosted=HostedConfig())
        changes["tools"] = (spec,)
    reasoning = _reasoning(request.reasoning, wishes, target)
    if reasoning != request.reasoning:
        changes["reasoning"] = reasoning
    if wishes.tier and not request.service_tier and target.dialect == "openai_responses":
        changes["service_tier"] = wishes.tier
    return msgspec.structs.replace(request, **changes) if changes else request


def _can_search(request: Request, target: Target) -> bool:
    if target.dialect == "gemini":
        return request.output.format in ("", "text")  # it takes either its own search or a form of the answer
    return target.dialect in SEARCHES and (target.dialect != "anthropic" or target.facts.family == "claude")


def _reasoning(said: ReasoningWish, wishes: Wishes, target: Target) -> ReasoningWish:
    if not (wishes.effort or wishes.summary) or (target.facts.thinking == "none" and not wishes.forced):
        return said
    silent = said == ReasoningWish()
    if not (silent or wishes.forced or wishes.fill_gaps):
        return said
    changes: dict[str, Any] = {}
    if wishes.effort and (wishes.forced or (not said.effort and said.budget is None)):
        changes |= {"effort": "off" if wishes.effort == "none" else wishes.effort, "budget": None}
    if wishes.summary and (wishes.forced or not said.show):
        shows = wishes.summary != "never"
        changes |= {"show": "summary" if shows else "none", "summary": wishes.summary if shows else ""}
    return msgspec.structs.replace(said, **changes)
