"""What a page's address asks for: period, tenant, key, provider, model, order; and what may be chosen there.

Everything is in the address, so a link shows the same to whoever may see it. What is not one's own is not there: 404.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict

from accounts.admin.scope import who
from accounts.models import ApiKey, Tenant
from accounts.rights import Right
from accounts.sanitized import Masks, is_sanitized, masks_for
from analytics.models import UsageRollup
from analytics.readings import filters
from analytics.readings.filters import PERIODS, Filters, Period
from analytics.readings.reader import Reader
from proxx.kit import clock
from routing import reload

KEYS_AT_MOST = 300  # in the form
USED_AT_MOST = 300
REFRESH_SECONDS = 30
LONGEST_SEARCH = 100
IN_USE = filters.DAY * 31
A_MONTH = filters.DAY * 29  # before a day, so that with it there are thirty
NO_DATES: dict[str, str | None] = {"from": None, "to": None}


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a select."""

    value: str
    label: str
    is_chosen: bool


@dataclass(slots=True)
class Asked:
    """One look at a dashboard: who looks, at what, and by what names things are called here."""

    request: HttpRequest
    filters: Filters
    reader: Reader
    is_sanitized: bool
    masks: Masks
    sees_accounts: bool
    tenant_choices: dict[UUID, str] | None  # where there are several
    key_names: dict[UUID, str]
    order: str
    search: str

    def masked(self, text: str) -> str:
        """Return a name, or stars in sanitized mode."""
        return self.masks.names(text)

    def tenant(self, tenant_id: UUID) -> str:
        """Return a tenant's name. One query, and only where there is no choice of tenants."""
        if self.tenant_choices is None:
            self.tenant_choices = _tenant_names(self.filters.tenants)
        return self.masked(self.tenant_choices.get(tenant_id, f"tenant {str(tenant_id)[:8]}"))

    def key(self, key_id: UUID | None) -> str:
        """Return a key's label."""
        if key_id is None:
            return "no stored key"
        return self.masked(self.key_names.get(key_id, f"key {str(key_id)[:8]}"))

    def account(self, credential_id: UUID | None) -> str:
        """Return an account's label, to those who may see accounts; to others a name that only tells them apart."""
        if credential_id is None:
            return "no account"
        held = reload.current().credentials.values()
        view = next((one for views in held for one in views if one.id == credential_id), None)
        name = view.label or view.account_id[:12] if view is not None else f"account {str(credential_id)[:8]}"
        return self.masks.accounts(name)

    def link(self, **changes: str | None) -> str:
        """Return this page's address with some of it changed; None takes a word out."""
        said = self.request.GET.copy()
        for word, value in changes.items():
            said.pop(word, None)
            if value is not None:
                said[word] = value
        return f"?{said.urlencode()}"


def asked(request: HttpRequest, context: dict[str, Any], right: Right = Right.USAGE_READ) -> Asked:
    """Return what a request asks for. Raises PermissionDenied without the right, Http404 for what is not one's own.

    `context` is that of every page of the console: it knows the tenants already, where there are several.
    """
    acting = who(request)
    tenants = acting.tenants(Right.USAGE_READ)
    if not acting.may_open(right) or tenants == frozenset():
        raise PermissionDenied
    said = request.GET
    tenant, key = _id(said.get("tenant")), _id(said.get("key"))
    if tenant is not None and tenants is not None and tenant not in tenants:
        raise Http404
    chosen = Filters(
        period=_period(said),
        tenants=tenants,
        tenant=tenant,
        key=key,
        provider=said.get("provider", "")[:64],
        model=said.get("model", "")[:200],
    )
    return Asked(
        request=request,
        filters=chosen,
        reader=Reader(chosen),
        is_sanitized=is_sanitized(request),
        masks=masks_for(request, acting),
        sees_accounts=acting.may(Right.CREDENTIALS_READ),
        tenant_choices=dict(context["tenant_choices"]) if "tenant_choices" in context else None,
        key_names=_key_names(chosen),
        order=said.get("order", "")[:20],
        search=said.get("q", "")[:LONGEST_SEARCH].strip(),
    )


def choices(one: Asked) -> dict[str, Any]:
    """Return what the page's form offers, each with what is chosen."""
    said = one.filters
    recent = UsageRollup.objects.filter(period="day", bucket__gte=clock.now() - IN_USE)
    if said.tenants is not None:
        recent = recent.filter(tenant__in=said.tenants)
    used = list(recent.exclude(model="").values_list("provider_id", "model").distinct().order_by())
    providers = sorted({provider for provider, _ in used} | ({said.provider} if said.provider else set()))
    models = sorted({model for _, model in used} | ({said.model} if said.model else set()))[:USED_AT_MOST]
    own = said.tenants
    tenants = {key: name for key, name in (one.tenant_choices or {}).items() if own is None or key in own}
    return {
        "periods": [
            (one.link(period=name, **NO_DATES), shape.label, name == said.period.name)
            for name, shape in PERIODS.items()
        ],
        "dates": _dates(said.period),
        "today": f"{clock.now():%Y-%m-%d}",
        "selects": [
            ("tenant", "Tenant", _ids(tenants, said.tenant, one) if len(tenants) > 1 else []),
            ("key", "Key", _ids(one.key_names, said.key, one)),
            ("provider", "Provider", [Choice(name, name, name == said.provider) for name in providers]),
            ("model", "Model", [Choice(name, name, name == said.model) for name in models]),
        ],
        "is_narrowed": bool(said.tenant or said.key or said.provider or said.model),
        "all": one.link(tenant=None, key=None, provider=None, model=None),
        "refresh": REFRESH_SECONDS if one.request.GET.get("refresh") == "on" else 0,
        "refresh_link": one.link(refresh=None if one.request.GET.get("refresh") == "on" else "on"),
        "is_sanitized": one.is_sanitized,
        "sanitized_link": one.link(safe=None, sanitized="0" if one.is_sanitized else "1"),
        "kept": [
            (word, one.request.GET[word]) for word in ("period", "refresh", "order", "q") if word in one.request.GET
        ],
        "now": f"{clock.now():%H:%M:%S}",
    }


def _period(said: QueryDict) -> Period:
    """Return the days that an address names, else its named stretch. One date alone begins what goes on until today, or
    ends thirty days."""
    first, last = _date(said.get("from")), _date(said.get("to"))
    last = last or (clock.now().date() if first else None)
    first = first or (last - A_MONTH if last and last.year > 1 else None)
    chosen = filters.between(first, last) if first and last else None
    return chosen or filters.period(said.get("period", ""))


def _date(said: str | None) -> date | None:
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        return None


def _dates(period: Period) -> list[tuple[str, str, str]]:
    is_chosen = period.name == filters.CHOSEN
    edges = (("from", "From", period.start), ("to", "To", period.end - filters.DAY))
    return [(word, name, f"{edge:%Y-%m-%d}" if is_chosen else "") for word, name, edge in edges]


def _ids(names: dict[UUID, str], chosen: UUID | None, one: Asked) -> list[Choice]:
    return [Choice(str(key), one.masked(name), key == chosen) for key, name in names.items()]


def _id(said: str | None) -> UUID | None:
    if not said:
        return None
    try:
        return UUID(said)
    except ValueError:
        raise Http404 from None


def _tenant_names(tenants: frozenset[UUID] | None) -> dict[UUID, str]:
    rows = Tenant.objects.all() if tenants is None else Tenant.objects.filter(pk__in=tenants)
    return dict(rows.order_by("name").values_list("pk", "name")[:USED_AT_MOST])


def _key_names(said: Filters) -> dict[UUID, str]:
    """Return the labels of the keys that may be chosen, and of the chosen one. Raises Http404 if that is foreign."""
    rows = ApiKey.objects.all() if said.tenants is None else ApiKey.objects.filter(tenant__in=said.tenants)
    if said.tenant is not None:
        rows = rows.filter(tenant_id=said.tenant)
    names = dict(rows.order_by("label", "pk").values_list("pk", "label")[:KEYS_AT_MOST])
    if said.key is not None and said.key not in names:
        found = rows.filter(pk=said.key).values_list("pk", "label").first()
        if found is None:
            raise Http404
        names[found[0]] = found[1]
    return names
