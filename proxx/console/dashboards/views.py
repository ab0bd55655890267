"""The dashboards of the console: one view, and the table of its pages. What they show is in pages/, what it is made of
in analytics/readings/."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from accounts.rights import Right
from proxx.console.dashboards.asking import Asked, asked, choices
from proxx.console.dashboards.cards import Dashboard, Notice
from proxx.console.dashboards.pages import accounts, cache, cost, errors, models, overview, traffic

SHORT = "More than an hour of calls is not summed yet, so these figures may be too small. Is the worker running?"


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard: its title, what it is made by, and the right that opens it besides that to usage."""

    title: str
    make: Callable[[Asked], Dashboard]
    right: Right = Right.USAGE_READ
    orders: Callable[[Asked], list[tuple[str, str, bool]]] | None = None


PAGES: Final[Mapping[str, Page]] = {
    "overview": Page("Overview", overview.dashboard),
    "traffic": Page("Traffic", traffic.dashboard),
    "cost": Page("Cost", cost.dashboard),
    "models": Page("Models and providers", models.dashboard, orders=models.orders),
    "accounts": Page("Accounts and quota", accounts.dashboard, right=Right.CREDENTIALS_READ),
    "errors": Page("Errors", errors.dashboard),
    "cache": Page("Prompt caches", cache.dashboard),
}


@require_safe
def show(request: HttpRequest, *, name: str, site: AdminSite) -> HttpResponse:
    """Show one dashboard."""
    page = PAGES[name]
    context = site.each_context(request)
    one = asked(request, context, page.right)
    made = page.make(one)
    if one.reader.is_short:
        made.notices.insert(0, Notice(SHORT))
    context |= {"title": page.title, "dashboard": made, "choices": choices(one), "search": one.search}
    context |= {"orders": page.orders(one) if page.orders else [], "period": one.filters.period}
    return TemplateResponse(request, "dashboards/page.html", context)


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the address of each dashboard, below that of the console."""
    return [
        path(f"dashboards/{name}/", site.admin_view(partial(show, name=name, site=site)), name=f"dashboard_{name}")
        for name in PAGES
    ]
