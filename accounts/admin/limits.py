"""The console's tables of limits, on the pages of tenants and keys, and the bars of what is used of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts import limits
from accounts.admin.base import ago
from accounts.limit import MOST, NANO, Limit, LimitView, LimitWindow
from accounts.models import ApiKey, Tenant
from proxx.kit import clock

if TYPE_CHECKING:
    _LimitForm = forms.ModelForm[Limit]
else:
    _LimitForm = forms.ModelForm

WARN_PERCENT, FULL_PERCENT = 80, 100


class LimitForm(_LimitForm):
    """One limit; its amount is written in dollars where it is money, else as a whole number."""

    quantity = forms.DecimalField(
        label="At most",
        min_value=0,
        max_digits=20,
        decimal_places=9,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )

    class Meta:
        """The amount itself is in nano-dollars, which nobody types."""

        model = Limit
        fields = ("kind", "model", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.amount is not None:
            self.initial["quantity"] = shown(self.instance.kind, self.instance.amount)

    def clean(self) -> dict[str, Any]:
        """Turn the quantity into the amount of its kind."""
        cleaned: dict[str, Any] = super().clean() or {}
        quantity, kind = cleaned.get("quantity"), cleaned.get("kind")
        if quantity is None or kind is None:
            return cleaned
        amount = quantity * NANO if is_money(kind) else quantity
        if amount != amount.to_integral_value():
            self.add_error("quantity", "Only dollars have fractions.")
        elif amount > MOST:
            self.add_error("quantity", "This is more than can be counted.")
        else:
            self.instance.amount = int(amount)
        return cleaned


class LimitInline(TabularInline):
    """The limits of one tenant or key."""

    model = Limit
    form = LimitForm
    fields = ("kind", "quantity", "model", "enabled")
    extra = 0
    hide_title = True
    verbose_name = "limit"
    verbose_name_plural = "limits"


class TenantLimits(LimitInline):
    """A tenant's limits hold for all its keys together."""

    fk_name = "tenant"


class KeyLimits(LimitInline):
    """A key's own limits."""

    fk_name = "key"


class WithLimits:
    """A page with a table of limits, and above it the bars of what is used; a new row gets its limits once it is
    there."""

    change_form_outer_before_template = "admin/accounts/limits.html"
    limits_inline: type[LimitInline]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[type[LimitInline]]:
        """Offer limits for what has been saved."""
        return [] if obj is None else [self.limits_inline]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the bars."""
        owner = context.get("original")
        if owner is not None:
            context["bars"] = bars(owner)
            context["bars_per_process"] = not limits.counts_here()
        response: TemplateResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return response


@dataclass(frozen=True, slots=True)
class Bar:
    """How one limit stands, in words; `used` is in percent."""

    name: str
    used: int
    level: str
    said: str
    ends: str


def bars(owner: Tenant | ApiKey) -> list[Bar]:
    """Return how the owner's limits stand: one query for them, one for their windows."""
    rows = [row for row in owner.limits.all() if row.enabled]
    unix = clock.unix()
    views = {row.pk: row.view for row in rows}
    places = {view.id: view.starts(unix) for view in views.values() if view.is_budget}
    found = LimitWindow.objects.filter(limit_id__in=places, starts__in=set(places.values())) if places else []
    spent = {one.limit_id: one.spent + one.held for one in found if places[one.limit_id] == one.starts}
    return [_bar(row, views[row.pk], spent.get(row.pk, 0), unix) for row in rows]


def is_money(kind: str) -> bool:
    """Tell whether a kind of limit is in dollars."""
    return kind.startswith("money")


def shown(kind: str, amount: int) -> str:
    """Return an amount as people read it: dollars, or a whole number."""
    return _plain(Decimal(amount) / NANO) if is_money(kind) else str(amount)


def _bar(row: Limit, view: LimitView, spent: int, unix: float) -> Bar:
    used = spent if view.is_budget else limits.used_here(view)
    percent = min(FULL_PERCENT, used * 100 // row.amount) if row.amount else FULL_PERCENT
    level = "spent" if percent >= FULL_PERCENT else "warn" if percent >= WARN_PERCENT else "ok"
    return Bar(str(row), percent, level, f"{_amount(row, used)} of {_amount(row, row.amount)}", _ends(view, unix))


def _amount(row: Limit, amount: int) -> str:
    if not is_money(row.kind):
        return f"{amount:,}"
    dollars = Decimal(amount) / NANO
    # Cents where they say enough; the little that is left behind them is shown where it is all there is.
    return f"${dollars:,.2f}" if not amount or dollars >= 1 else f"${_plain(dollars)}"


def _ends(view: LimitView, unix: float) -> str:
    if not view.is_budget:
        return "in the last minute" if view.period else "right now"
    ends = view.ends(unix)
    if ends is None:
        return "does not begin anew"
    return f"begins anew {ago(datetime.fromtimestamp(ends, UTC))}"


def _plain(number: Decimal) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")
