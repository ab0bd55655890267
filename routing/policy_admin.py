"""The console's page for rules: who serves a family of models first, in which dialect, with which accounts."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.base import CarefulAdmin, low
from accounts.profile import lines_of
from routing import explain_page, followed, policy_rows
from routing.models import PolicyRule
from routing.providers import STRATEGIES

ABOUT = (
    "Of all rules the first whose pattern matches counts, whole. A model is meant by the name the client wrote, with "
    "and without a vendor's path, and by the provider's spelling."
)
FOLLOWS = "This follows the policy file: change it there, and it changes here within seconds."


@admin.register(PolicyRule)
class PolicyRuleAdmin(CarefulAdmin):
    """Rules are added, changed, moved and switched off; those of a file follow the file."""

    list_display = ("position", "named", "does", "on", "came_from")
    list_display_links = ("named",)
    list_filter = ("source", "enabled")
    search_fields = ("name", "pattern")
    search_help_text = "Search by name or pattern"
    list_before_template = "admin/routing/rules.html"

    @display(description="rule", header=True, ordering="name")
    def named(self, row: PolicyRule) -> list[str]:
        """Show the name above the pattern."""
        return [str(row), row.pattern]

    @display(description="does")
    def does(self, row: PolicyRule) -> str:
        """Say in words what the rule asks for."""
        return summary(row) or "nothing yet"

    @display(description="state", label={"on": "success", "off": "danger"}, ordering="enabled")
    def on(self, row: PolicyRule) -> str:
        """Show whether the rule counts."""
        return "on" if row.enabled else "off"

    @display(description="from", ordering="source")
    def came_from(self, row: PolicyRule) -> str:
        """Show where the row came from."""
        return row.get_source_display()

    def get_fieldsets(self, request: HttpRequest, obj: PolicyRule | None = None) -> Any:
        """Say how rules work, or that a file would overwrite what is typed."""
        which = ("name", "pattern", "kind", ("position", "enabled"))
        return [
            ("Which models", {"fields": which, "description": FOLLOWS if followed.follows(obj) else ABOUT}),
            ("Providers", {"fields": (("providers", "excluded_providers"), "order_providers")}),
            ("Dialect", {"fields": (("protocols", "excluded_protocols"),)}),
            ("Accounts", {"fields": ("accounts", "paid_plans", "excluded_plans")}),
        ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the orders that there are, and keep the boxes for a few lines low."""
        if db_field.name == "accounts":
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=[("", "As each provider's page says"), *_orders()])
        return low(super().formfield_for_dbfield(db_field, request, **kwargs), db_field)

    def has_change_permission(self, request: HttpRequest, obj: PolicyRule | None = None) -> bool:
        """Refuse where the policy file says it."""
        return not followed.follows(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: PolicyRule | None = None) -> bool:
        """Refuse where the policy file would bring it back."""
        return not followed.follows(obj) and bool(super().has_delete_permission(request, obj))

    def get_urls(self) -> list[Any]:
        """Add the address behind “Add the default rules”, and the page that explains a route."""
        add = self.admin_site.admin_view(require_POST(self.add_defaults))
        explain = self.admin_site.admin_view(partial(explain_page.page, site=self.admin_site))
        own = [
            path("defaults/", add, name="routing_policyrule_defaults"),
            path("explain/", explain, name="routing_policyrule_explain"),
        ]
        return [*own, *super().get_urls()]

    def add_defaults(self, request: HttpRequest) -> HttpResponse:
        """Add the default rules that are missing."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        added = policy_rows.add_defaults()
        said = f"{added} default rules added." if added else "All default rules are here already."
        messages.success(request, said)
        return redirect("admin:routing_policyrule_changelist")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Offer the default rules above the list."""
        above = {"may_add": self.has_add_permission(request)}
        return super().changelist_view(request, above | (extra_context or {}))  # type: ignore[no-any-return]


def summary(row: PolicyRule) -> str:
    """Say in a few words what a rule asks for; empty if nothing."""
    first, never = lines_of(row.providers), lines_of(row.excluded_providers)
    asked, unasked = lines_of(row.protocols), lines_of(row.excluded_protocols)
    plans = lines_of(row.excluded_plans)
    said = (
        f"first {', '.join(first)}" if first else "",
        f"never {', '.join(never)}" if never else "",
        "the cheapest first" if row.order_providers == PolicyRule.Order.CHEAPEST else "",
        f"asks in {', then '.join(asked)}" if asked else "",
        f"not in {', '.join(unasked)}" if unasked else "",
        f"accounts by {row.accounts}" if row.accounts else "",
        "paid plans first" if row.paid_plans else "",
        f"without plans {', '.join(plans)}" if plans else "",
    )
    return "; ".join(filter(None, said))


def _orders() -> list[tuple[str, str]]:
    return [(name, f"{name}: {said}") for name, said in STRATEGIES.items()]
