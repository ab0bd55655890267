"""Where a page stands, as its head says it: in the words of menu and tabs (proxx/settings/unfold.py).

The theme names the way by app and table. What leads to a list in the menu has a name already, and two names for one
page are one too many.
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import capfirst

from proxx.settings.unfold import UNFOLD

Step = dict[str, Any]  # a title, and a link where there is one


def named(steps: Sequence[Step], request: HttpRequest) -> list[Step]:
    """Return the theme's steps, those that lead to a page of the menu or the tabs replaced by the way to it there."""
    for place, step in enumerate(steps):
        if way := _way(str(step.get("link", "")), request):
            return [*way, *steps[place + 1 :]]
    return _way(request.path, request) or [{**step, "title": _capital(step["title"])} for step in steps]


def _capital(said: Any) -> Any:
    """Begin the name of a table with a capital; the name of a row is its own."""
    return capfirst(str(said)) if isinstance(said, str | Promise) else said


def title(request: HttpRequest) -> str:
    """Return what the menu or the tabs call the page of this address; nothing if it is none of theirs."""
    way = _way(request.path, request)
    return str(way[-1]["title"]) if way else ""


def _way(link: str, request: HttpRequest) -> list[Step]:
    """Return the steps to a page of the menu, or of the tabs below one of its pages; none for any other page."""
    for group in UNFOLD["SIDEBAR"]["navigation"]:
        for item in group["items"]:
            if item["link"] == link and item.get("permission", _anybody)(request):
                above = [{"title": group["title"]}] if "title" in group else []
                return [*above, {"title": item["title"], "link": link}]
    for tabs in UNFOLD["TABS"]:
        first, *others = tabs["items"]
        for item in others:
            if item["link"] == link:
                return [*_way(first["link"], request), {"title": item["title"], "link": link}]
    return []


def _anybody(_: HttpRequest) -> bool:
    return True
