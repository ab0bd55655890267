"""The console's list of calls, and what has just come in: one search, a page at a time, newest first.

Who may see it is admin.py's; what is looked for is read from the address by call_search.py.
"""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from accounts.admin.scope import who
from accounts.rights import Right
from accounts.sanitized import Masks, masks_for
from analytics import call_rows, call_search, tags
from analytics.call_files import FORMS
from analytics.calls import CallPage, find
from analytics.consumers import PATH
from analytics.queries import Tenants

SHOWN = 50  # calls of a page
MOST_NEW = 50  # calls that one look at what is new may bring


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Answer with a page of the list; a search leads to the filter that it means."""
    said, scope = request.GET, scope_of(request)
    if said.get("q", "").strip():
        meant = call_search.understood(said["q"], scope, may_name_accounts=_sees_accounts(request))
        others: dict[str, str | None] = dict.fromkeys(("q", "request_id", "asked", "error", "ids"))
        return HttpResponseRedirect(f"{request.path}?{call_search.told(said, **(others | meant))}")
    filters = call_search.read(said)
    masks = masks_of(request)
    tenants = [(str(id), name) for id, name in context.get("tenant_choices", ()) if scope is None or id in scope]
    offered = call_search.offers(scope, filters.tenant)
    offered = replace(offered, tenants=tenants if len(tenants) > 1 else []).masked(masks)
    found = find(filters, scope, before=call_search.before(said), limit=SHOWN)
    context |= {
        "title": "Requests",
        "form": call_search.SearchForm(said, offered),
        "models": offered.models,
        "tags": offered.tags,
        "chips": call_search.chips(said, filters, offered, masks),
        "rows": _rows(request, found),
        "found": found,
        "older": call_search.told(said, before=str(found.older)) if found.older else "",
        "newest": call_search.told(said) if said.get("before") else None,
        "query": call_search.told(said),
        "exports": FORMS,
        "socket": PATH,
    }
    return TemplateResponse(request, "analytics/requests.html", context)


def tail(request: HttpRequest) -> HttpResponse:
    """Answer with lines only: of the named calls (`id`, several times) that fit the filters, else of the newest."""
    found = find(call_search.read(request.GET), scope_of(request), limit=MOST_NEW)
    return TemplateResponse(request, "analytics/request_rows.html", {"rows": _rows(request, found)})


def scope_of(request: HttpRequest) -> Tenants:
    """Return the tenants whose calls this operator sees now."""
    return who(request).tenants(Right.REQUESTS_READ)


def masks_of(request: HttpRequest) -> Masks:
    """Return what stands for names on this page."""
    return masks_for(request, who(request))


def _sees_accounts(request: HttpRequest) -> bool:
    return who(request).may(Right.CREDENTIALS_READ)


def _rows(request: HttpRequest, found: CallPage) -> list[call_rows.CallRow]:
    return call_rows.rows(found.calls, tags.of(found.calls), masks_of(request))
