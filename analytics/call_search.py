"""What to look for among calls, as a page's address says it; and the words that the page offers for it.

The address is the only place where a choice is kept, so that a list can be sent to somebody else. Values that make no
sense are left out of it. What finds the calls is calls.py's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import ApiKey, Credential
from accounts.sanitized import Masks
from analytics import labels, queries, tags
from analytics.calls import CallFilters, find
from analytics.models import OUTCOMES
from analytics.queries import Tenants
from proxx.kit import clock
from proxx.protocols import registry

SPANS = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
}
STATUSES = ("2xx", "4xx", "5xx", "400", "401", "402", "403", "404", "429", "499", "500", "502", "503", "504")
YES_NO = {"1": True, "0": False}
MOST_OFFERED = 200
FRESH = 15.0  # seconds in which offers are shared
IDS = ("tenant", "key", "account")
WORDS = ("provider", "model", "asked", "route", "dialect", "outcome", "status", "error", "tag", "request_id")
LONGEST = 200
NAMES = {
    "tenant": "Tenant",
    "key": "Key",
    "provider": "Provider",
    "account": "Account",
    "model": "Model",
    "asked": "Model asked for",
    "route": "Path",
    "dialect": "Dialect",
    "outcome": "Outcome",
    "status": "Status",
    "error": "Error code",
    "stream": "Streamed",
    "retried": "More than one attempt",
    "tag": "Tag",
    "request_id": "Client's id",
    "since": "Since",
    "until": "Until",
    "within": "Time",
    "ids": "Request",
}


@dataclass(frozen=True, slots=True)
class Offers:
    """What an operator may choose from: pairs of value and name."""

    tenants: list[tuple[str, str]] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    accounts: list[tuple[str, str]] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    def masked(self, masks: Masks) -> "Offers":
        """Return the same with the names of tenants, keys and accounts hidden."""
        return replace(
            self,
            tenants=[(id, masks.names(name)) for id, name in self.tenants],
            keys=[(id, masks.names(label)) for id, label in self.keys],
            accounts=[(id, masks.accounts(label)) for id, label in self.accounts],
        )


_offers: dict[tuple[Tenants, UUID | None], tuple[float, Offers]] = {}


def read(said: QueryDict) -> CallFilters:
    """Return what an address asks for."""
    asked: dict[str, Any] = {name: said.get(name, "").strip()[:LONGEST] for name in WORDS}
    asked |= {name: _uuid(said.get(name, "")) for name in IDS}
    filters = CallFilters(
        **asked,
        stream=YES_NO.get(said.get("stream", "")),
        retried=YES_NO.get(said.get("retried", "")),
        since=_moment(said.get("since", "")),
        until=_moment(said.get("until", "")),
        ids=tuple(one for text in said.getlist("id")[:MOST_OFFERED] if (one := _uuid(text))),
    )
    span = SPANS.get(said.get("within", ""))
    return replace(filters, since=clock.now() - span[1]) if span and filters.since is None else filters


def before(said: QueryDict) -> UUID | None:
    """Return the call below which the page begins."""
    return _uuid(said.get("before", ""))


def told(said: QueryDict, **changes: str | None) -> str:
    """Return the query part of an address that asks for the same, with changes: text for another value, None to leave
    one out. Empty members are gone, and the place in the list, unless the changes name one."""
    kept = QueryDict(mutable=True)
    for name in (*NAMES, "q", "within"):
        values = said.getlist("id" if name == "ids" else name)
        if name not in changes and any(values):
            kept.setlist("id" if name == "ids" else name, [value for value in values if value])
    for name, value in changes.items():
        if value:
            kept[name] = value
    return kept.urlencode()


def understood(text: str, scope: Tenants, *, may_name_accounts: bool = True) -> dict[str, str]:
    """Return which filter a search means: an id of ours or of the client's, a model, an account, an error code; a text
    that none of these knows is a model that was asked for. Each guess is one look at an index."""
    text = text.strip()[:LONGEST]
    identifier = _uuid(text)
    if identifier is not None and find(CallFilters(ids=(identifier,)), scope, limit=1).calls:
        return {"id": str(identifier)}
    if find(CallFilters(request_id=text), scope, limit=1).calls:
        return {"request_id": text}
    by_model = {name.lower(): name for name in offers(scope).models}
    if text.lower() in by_model:
        return {"model": by_model[text.lower()]}
    named = Credential.objects.filter(label__iexact=text) if may_name_accounts else Credential.objects.none()
    account = named.values_list("id", flat=True).first()
    if account is not None and find(CallFilters(account=account), scope, limit=1).calls:
        return {"account": str(account)}
    if find(CallFilters(error=text), scope, limit=1).calls:
        return {"error": text}
    return {"request_id": text} if identifier is not None else {"asked": text}


def offers(scope: Tenants, tenant: UUID | None = None) -> Offers:
    """Return what there is to choose from for those tenants, at most some seconds old; keys only of one tenant. The
    tenants themselves are on every page already."""
    now = clock.monotonic()
    place = scope, tenant
    found = _offers.get(place)
    if found is None or now - found[0] > FRESH:
        for old in [one for one, (at, _) in _offers.items() if now - at > FRESH]:
            del _offers[old]
        found = _offers[place] = now, _offered(scope, tenant)
    return found[1]


def forget() -> None:
    """Read the offers anew at the next look."""
    _offers.clear()


def chips(said: QueryDict, filters: CallFilters, offered: Offers, masks: Masks) -> list[tuple[str, str, str]]:
    """Return what is asked for, for people: name, value, and the query part without it."""
    words: Mapping[str, Mapping[str, str]] = {
        "tenant": dict(offered.tenants),
        "key": dict(offered.keys),
        "account": dict(offered.accounts),
        "outcome": dict(OUTCOMES),
    }
    found = []
    for name, value in filters.said().items():
        shown = masks.names(_shown(value)) if name == "request_id" else _shown(value)
        if name == "since" and not said.get("since"):
            name, shown = "within", SPANS[said.get("within", "")][0]
        shown = words.get(name, {}).get(shown) or (masks.names(shown) if name in IDS else shown)
        found.append((NAMES[name], shown, told(said, **{name: None})))
    return found


class SearchForm(forms.Form):
    """The filters above the list. It is only drawn: what was sent is read by `read`."""

    q = forms.CharField(label="Search", widget=UnfoldAdminTextInputWidget)
    within = forms.ChoiceField(label="Time", widget=UnfoldAdminSelectWidget)
    outcome = forms.ChoiceField(label="Outcome", widget=UnfoldAdminSelectWidget)
    provider = forms.ChoiceField(label="Provider", widget=UnfoldAdminSelectWidget)
    model = forms.CharField(label="Model", widget=UnfoldAdminTextInputWidget(attrs={"list": "call-models"}))
    tenant = forms.ChoiceField(label="Tenant", widget=UnfoldAdminSelectWidget)
    key = forms.ChoiceField(label="Key", widget=UnfoldAdminSelectWidget)
    account = forms.ChoiceField(label="Account", widget=UnfoldAdminSelectWidget)
    tag = forms.CharField(label="Tag or label", widget=UnfoldAdminTextInputWidget(attrs={"list": "call-tags"}))
    status = forms.ChoiceField(label="Status", widget=UnfoldAdminSelectWidget)
    error = forms.CharField(label="Error code", widget=UnfoldAdminTextInputWidget)
    asked = forms.CharField(label="Model asked for", widget=UnfoldAdminTextInputWidget)
    dialect = forms.ChoiceField(label="Dialect", widget=UnfoldAdminSelectWidget)
    route = forms.CharField(label="Path", widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "/v1/messages"}))
    stream = forms.ChoiceField(label="Streamed", widget=UnfoldAdminSelectWidget)
    retried = forms.ChoiceField(label="More than one attempt", widget=UnfoldAdminSelectWidget)
    since = forms.CharField(label="Since (UTC)", widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}))
    until = forms.CharField(label="Until (UTC)", widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}))

    ALWAYS = ("within", "outcome", "provider", "model", "tenant", "tag")

    def __init__(self, said: QueryDict, offered: Offers) -> None:
        super().__init__(initial={name: said.get(name, "") for name in self.base_fields}, auto_id="call-%s")
        self.fields["q"].widget.attrs["placeholder"] = "Request id, client's id, model, account, error code"
        for one in self.fields.values():
            one.required = False
        self._choose("within", [(name, label) for name, (label, _) in SPANS.items()], said)
        self._choose("outcome", list(OUTCOMES), said)
        self._choose("provider", [(name, name) for name in offered.providers], said)
        self._choose("tenant", offered.tenants, said)
        self._choose("key", offered.keys, said)
        self._choose("account", offered.accounts, said)
        self._choose("status", [(one, one) for one in STATUSES], said)
        self._choose("dialect", [(one, one) for one in (*registry.PROTOCOLS, *registry.BESIDE)], said)
        for name in ("stream", "retried"):
            self._choose(name, [("1", "Yes"), ("0", "No")], said)
        for name, there in (("key", offered.keys), ("account", offered.accounts), ("tenant", offered.tenants)):
            if not there and not said.get(name):
                del self.fields[name]

    def _choose(self, name: str, choices: list[tuple[str, str]], said: QueryDict) -> None:
        now = said.get(name, "")
        there = [("", "any"), *choices]
        if now and now not in dict(there):
            there.append((now, now))  # what is filtered by is shown, also where it is not offered
        self.fields[name].choices = there  # type: ignore[attr-defined]

    @property
    def usual(self) -> list[Any]:
        """The fields that stand there always."""
        return [self[name] for name in self.ALWAYS if name in self.fields]

    @property
    def rarer(self) -> list[Any]:
        """The others."""
        return [self[name] for name in self.fields if name not in (*self.ALWAYS, "q")]

    @property
    def is_open(self) -> bool:
        """Whether one of the others is in use."""
        return any(self.initial.get(one.name) for one in self.rarer)


def _offered(scope: Tenants, tenant: UUID | None) -> Offers:
    accounts: list[tuple[str, str]] = []
    if scope is not None:
        tenant = next(iter(scope)) if len(scope) == 1 else tenant if tenant in scope else None
    else:  # whose accounts a house has is no tenant's matter
        rows = Credential.objects.order_by("provider_id", "label").values_list("id", "provider_id", "label")
        accounts = [(str(id), f"{provider} / {label}") for id, provider, label in rows[:MOST_OFFERED]]
    own = ApiKey.objects.filter(tenant=tenant).order_by("label") if tenant is not None else ApiKey.objects.none()
    used = queries.used(scope)
    return Offers(
        keys=[(str(id), label) for id, label in own.values_list("id", "label")[:MOST_OFFERED]],
        accounts=accounts,
        providers=sorted({provider for provider, _ in used if provider}),
        models=sorted({model for _, model in used if model})[:MOST_OFFERED],
        tags=[*tags.counts(scope), *labels.LABELS],  # people's first
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip()) if text else None
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip()) if text else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found
