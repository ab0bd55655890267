"""The quota wall: every account at one look, and what an operator can do about it. Reset credits have a page between
the wish and the deed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit, rights
from accounts.models import Tenant
from accounts.rights import Right
from accounts.sanitized import is_sanitized, masked
from accounts.signin import step_up
from oauth.reset_credits import CreditsUnknown
from proxx.console.dashboards.asking import REFRESH_SECONDS, Choice
from proxx.console.wall import pressing, reading
from proxx.console.wall.reading import Card
from proxx.console.wall.states import STATES
from proxx.kit import clock
from routing import quota_credits

NAME = "quota_wall"  # of its address
CREDITS = "quota_credits"
AT_A_TIME = 200  # cards of one page
TENANTS_AT_MOST = 300


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the wall, or do what one of its buttons says and show it again."""
    acting = rights.of(request.user)
    may = acting.may_open(Right.CREDENTIALS_WRITE)
    if not acting.may_open(Right.CREDENTIALS_READ) or (request.method == "POST" and not may):
        raise PermissionDenied
    if request.method == "POST":
        return pressing.press(request) or HttpResponseRedirect(request.get_full_path())
    hides = is_sanitized(request)
    tenants = {row: masked(str(row)) if hides else str(row) for row in _tenants(request)} if may else {}
    cards = reading.read(hides=hides, first_of=_first_of(tenants))
    context = _shown(request, cards) | {
        "title": "Quota wall",
        "may": may,
        "is_sanitized": hides,
        "tenants": [(row.pk, name) for row, name in tenants.items()],
        "accounts": [(card.id, f"{card.label} · {card.provider}") for card in cards],
    }
    return TemplateResponse(request, "wall/page.html", site.each_context(request) | context)


@require_POST
def credits_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Say how many reset credits an account has, and ask whether to use one; use it when that is what was pressed."""
    if not rights.of(request.user).may_open(Right.CREDENTIALS_WRITE):
        raise PermissionDenied
    if (asked := step_up.asked_again(request, back=reverse(NAME))) is not None:
        return asked
    if not (said := request.POST.get("account")):
        raise BadRequest("No account is named.")
    row = pressing.account(said)
    name = reading.name_of(row, hides=is_sanitized(request))
    try:
        if "use" in request.POST:
            pressing.use_credit(request, row, _redemption(request))
            return HttpResponseRedirect(reverse(NAME))
        count = quota_credits.available(row.pk)
    except CreditsUnknown as fault:
        messages.error(request, f"{name}: {fault}")
        return HttpResponseRedirect(reverse(NAME))
    audit.note("asked for reset credits", row)
    context = {"title": "Reset credits", "name": name, "account": row.pk, "count": count, "redemption": uuid4()}
    return TemplateResponse(request, "wall/credits.html", site.each_context(request) | context)


def _redemption(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST["use"])
    except ValueError:
        raise Http404 from None


def _tenants(request: HttpRequest) -> Iterable[Tenant]:
    """Return the tenants whose first account the operator may choose."""
    found = rights.scoped(Tenant.objects.order_by("name"), rights.of(request.user), Right.SETTINGS_WRITE, "pk")
    return found[:TENANTS_AT_MOST]


def _first_of(tenants: Mapping[Tenant, str]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    for row, name in tenants.items():
        if row.passthrough_account_id is not None:
            found.setdefault(row.passthrough_account_id, []).append(name)
    return found


def _shown(request: HttpRequest, cards: Sequence[Card]) -> dict[str, Any]:
    """Return the cards that the page's address asks for, and what may be asked instead."""
    said = request.GET
    provider, plan, state = (said.get(name, "")[:64] for name in ("provider", "plan", "state"))
    words = said.get("q", "").strip().lower()[:100]
    found = [
        card
        for card in cards
        if (not provider or card.provider_id == provider)
        and (not plan or card.plan == plan)
        and (not state or card.state.name == state)
        and (words in card.label.lower() or words in card.email.lower())
    ]
    start = _number(said.get("from", "")) if len(found) > AT_A_TIME else 0
    shown = found[start : start + AT_A_TIME]
    refreshes = said.get("refresh") == "on"
    return {
        "cards": shown,
        "tiles": _tiles(cards),
        "count": f"{len(found)} of {len(cards)}" if len(found) < len(cards) else "",
        "part": f"{start + 1} to {start + len(shown)} of {len(found)}" if len(found) > AT_A_TIME else "",
        "before": _link(request, **{"from": str(max(0, start - AT_A_TIME))}) if start else "",
        "after": _link(request, **{"from": str(start + AT_A_TIME)}) if start + AT_A_TIME < len(found) else "",
        "selects": [
            ("state", "State", [Choice(one.name, one.label, one.name == state) for one in STATES.values()]),
            ("provider", "Provider", _choices({card.provider_id: card.provider for card in cards}, provider)),
            ("plan", "Plan", _choices({card.plan: card.plan for card in cards if card.plan}, plan)),
        ],
        "search": said.get("q", "")[:100],
        "is_narrowed": bool(provider or plan or state or words),
        "all": _link(request, provider=None, plan=None, state=None, q=None),
        "refresh": REFRESH_SECONDS if refreshes else 0,
        "refresh_link": _link(request, refresh=None if refreshes else "on"),
        "sanitized_link": _link(request, safe=None, sanitized="0" if is_sanitized(request) else "1"),
        "now": f"{clock.now():%H:%M:%S}",
    }


def _tiles(cards: Sequence[Card]) -> list[tuple[str, str, str, bool]]:
    """Return figures for all accounts: name, value, hint, and whether it alarms."""
    looks = sum(card.state.needs_look for card in cards)
    signs = sum(card.state.name == "sign_in_again" for card in cards)
    spent = [card for card in cards if card.state.name == "exhausted"]
    soonest = min((card for card in spent if card.until is not None), key=lambda card: card.until or 0.0, default=None)
    works = sum(card.state.name in ("working", "low", "partly") for card in cards)
    soon = sum(any(bar.alarms and bar.level != "spent" for bar in card.bars) for card in cards if card.is_on)
    return [
        ("Accounts", str(len(cards)), f"{sum(card.is_on for card in cards)} switched on", False),
        ("Can be called", str(works), "now", False),
        ("Want attention", str(looks), f"{signs} must sign in again" if signs else "rest, fail or are used up",
         bool(looks)),
        ("Used up", str(len(spent)), f"next back in {soonest.left}" if soonest else "none is", bool(spent)),
        ("Full too soon", str(soon), "windows that end before they begin anew", False),
    ]  # fmt: skip


def _choices(labels: Mapping[str, str], chosen: str) -> list[Choice]:
    return [Choice(value, label, value == chosen) for value, label in sorted(labels.items(), key=lambda one: one[1])]


def _link(request: HttpRequest, **changes: str | None) -> str:
    said = request.GET.copy()
    for word, value in changes.items():
        said.pop(word, None)
        if value is not None:
            said[word] = value
    return f"?{said.urlencode()}"


def _number(said: str) -> int:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0
