"""The console's tables of limits, on the pages of tenants and keys, and the bars of what is used of them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts import key_line, limits
from accounts.admin.base import ago
from accounts.admin.scope import all_fields, who
from accounts.limit import DAY, MOST, NANO, THERE_ALREADY, Limit, LimitView, ThereAlready
from accounts.models import ApiKey, Tenant
from accounts.rights import Right
from proxx.kit import clock

if TYPE_CHECKING:
    _LimitForm = forms.ModelForm[Limit]
    _LimitTable = forms.BaseInlineFormSet[Limit, Any, "LimitForm"]
else:
    _LimitForm = forms.ModelForm
    _LimitTable = forms.BaseInlineFormSet

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
        self.instance.judged_together = True  # by the table, which sees all rows as they will be
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


class LimitTable(_LimitTable):
    """The limits of one owner: no two of a kind for the same models."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]  # Django's stubs leave it out
        if self.is_bound:
            form.empty_permitted = False  # nobody gets a row but by asking for one: one without an amount is a mistake
        return form

    def clean(self) -> None:
        """Judge the rows together: one may take the place of another that goes."""
        super().clean()
        seen = set()
        for form in self.forms:
            said = getattr(form, "cleaned_data", {})
            if "kind" not in said or "model" not in said or said.get("DELETE"):
                continue
            what = (said["kind"], said["model"].strip().lower())
            if what in seen:
                form.add_error("kind", THERE_ALREADY)
            seen.add(what)

    def save(self, commit: bool = True) -> list[Limit]:  # noqa: FBT001, FBT002  Django's own
        """Save the rows, those that go first: others may take their place."""
        gone = [form.instance for form in self.deleted_forms if commit and form.instance.pk is not None]
        for limit in gone:
            self.delete_existing(limit, commit=commit)
        saved: list[Limit] = super().save(commit=commit)
        self.deleted_objects += gone
        return saved


class LimitInline(TabularInline):
    """The limits of one tenant or key; `writes` are the rights that change them, each by itself."""

    writes: tuple[Right, ...] = (Right.LIMITS_WRITE,)

    model = Limit
    form = LimitForm
    formset = LimitTable
    fields = ("kind", "quantity", "model", "enabled")
    extra = 0
    hide_title = True
    verbose_name = "limit"
    verbose_name_plural = "limits"

    @admin.display(description="At most")
    def quantity(self, limit: Limit) -> str:
        """Show the amount to those who may only look, in the units in which others type it."""
        return "" if limit.amount is None else shown(limit.kind, limit.amount)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show the limits to all who see whose they are."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for one of the rights over the owner; a key of one's own is not enough."""
        return obj is not None and any(who(request).may(right, _tenant_of(obj)) for right in self.writes)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the same."""
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the same."""
        return self.has_change_permission(request, obj)


class TenantLimits(LimitInline):
    """A tenant's limits hold for all its keys together."""

    fk_name = "tenant"


class KeyLimits(LimitInline):
    """A key's own limits; they go with the key, because its tenant's bound them anyway."""

    writes = (Right.LIMITS_WRITE, Right.KEYS_WRITE)
    fk_name = "key"


class WithLimits:
    """A page with a table of limits, and above it the bars of what is used; a new row gets its limits once it is
    there."""

    change_form_outer_before_template = "admin/accounts/limits.html"
    limits_inline: type[LimitInline]

    if TYPE_CHECKING:

        def has_write_permission(self, request: HttpRequest, obj: Any = None) -> bool: ...

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those in too who may change nothing but the limits."""
        if self.has_write_permission(request, obj):
            return True
        row = self.get_object(request, obj) if isinstance(obj, str) else obj  # type: ignore[attr-defined]
        return row is not None and any(who(request).may(right, _tenant_of(row)) for right in self.limits_inline.writes)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Fix everything but the limits for them."""
        if obj is not None and not self.has_write_permission(request, obj):
            return all_fields(self, request, obj)
        fixed: tuple[str, ...] = self.fixed_fields(request, obj)
        return fixed

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save the row itself only for those who may change it."""
        if not change or self.has_write_permission(request, obj):
            super().save_model(request, obj, form, change)  # type: ignore[misc]

    def fixed_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what nobody changes."""
        return ()

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show or save; say so where somebody else has added the same limit at the same moment: nothing was saved."""
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]
        except ThereAlready:
            messages.error(request, THERE_ALREADY)
            return HttpResponseRedirect(request.get_full_path())

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[type[LimitInline]]:
        """Offer limits for what has been saved."""
        return [] if obj is None else [self.limits_inline]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the bars."""
        owner = context.get("original")
        if owner is not None:
            context["bars"], counted_by_all = bars(owner)
            context["bars_per_process"] = not counted_by_all
            context["bars_shared"] = any(bar.shared for bar in context["bars"])
        response: TemplateResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return response


@dataclass(frozen=True, slots=True)
class Bar:
    """How one limit stands, in words; `used` is in percent. `shared`: it is another key's of the same line."""

    name: str
    used: int
    level: str
    said: str
    ends: str
    shared: bool = False


def bars(owner: Tenant | ApiKey) -> tuple[list[Bar], bool]:
    """Return how the limits stand that bound the owner, and whether that is true of all processes: a query for the
    limits, one for their windows, and for a key one for the keys that it shares them with."""
    rows = list(_binding(owner))
    unix = clock.unix()
    views = [row.view for row in rows]
    used, counted_by_all = limits.used(views)
    found = [_bar(*one, unix) for one in zip(rows, views, used, strict=True)]
    shared = (isinstance(owner, ApiKey) and row.key_id != owner.pk for row in rows)
    return [replace(bar, shared=one) for bar, one in zip(found, shared, strict=True)], counted_by_all


def _binding(owner: Tenant | ApiKey) -> QuerySet[Limit]:
    if isinstance(owner, Tenant):
        return owner.limits.filter(enabled=True)
    return Limit.objects.filter(enabled=True, key__in=key_line.of(owner.pk))


def _tenant_of(owner: Tenant | ApiKey) -> UUID:
    return owner.pk if isinstance(owner, Tenant) else owner.tenant_id


def is_money(kind: str) -> bool:
    """Tell whether a kind of limit is in dollars."""
    return kind.startswith("money")


def shown(kind: str, amount: int) -> str:
    """Return an amount as people read it: dollars, or a whole number."""
    return _plain(Decimal(amount) / NANO) if is_money(kind) else str(amount)


def _bar(row: Limit, view: LimitView, used: int, unix: float) -> Bar:
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
    days = int(ends - unix) // DAY
    # By days, not by weeks: “in 1 week” would be said of nearly two.
    return f"begins anew in {days} days" if days > 1 else f"begins anew {ago(datetime.fromtimestamp(ends, UTC))}"


def _plain(number: Decimal) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")
