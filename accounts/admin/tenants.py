"""The console's pages for tenants: who pays, and whether their keys work."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display

from accounts.admin.base import CarefulAdmin, ago, low
from accounts.admin.limits import TenantLimits, WithLimits
from accounts.key_state import in_state
from accounts.models import DEFAULT_TENANT_ID, ApiKey, Tenant
from accounts.restricted import PAIRS
from accounts.rights import Right

UNPRICED = "Limits of this tenant are at the end of the page; they hold for all its keys together."


@admin.register(Tenant)
class TenantAdmin(WithLimits, CarefulAdmin):
    """Tenants are added and switched off; they can be deleted only as long as they never had a key."""

    tenant_path = "pk"
    actions_detail = ("settings",)
    limits_inline = TenantLimits
    conditional_fields = {name: "unpriced == 'fallback'" for name in ("fallback_input", "fallback_output")}
    list_display = ("named", "state", "active_keys", "model_names", "created")
    list_filter = ("is_active",)
    search_fields = ("slug", "name")
    search_help_text = "Search by name"

    @action(description="Settings", url_path="settings", icon="settings", permissions=["settings"])
    def settings(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to what the tenant's calls get without saying so."""
        return redirect(reverse("admin:accounts_tenantsettings_change", args=(object_id,)))

    def has_settings_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Offer the way to the settings to those who may look at them."""
        return self.may(request, Right.SETTINGS_READ, obj)

    @display(description="tenant", header=True, ordering="name")
    def named(self, tenant: Tenant) -> list[str]:
        """Show the name above the short name."""
        return [str(tenant), tenant.slug]

    @display(description="state", label={"active": "success", "off": "danger"}, ordering="is_active")
    def state(self, tenant: Tenant) -> str:
        """Show active or off."""
        return "active" if tenant.is_active else "off"

    @display(description="active keys", ordering="key_count")
    def active_keys(self, tenant: Any) -> str:
        """Show how many keys work now, as a way to them."""
        page = reverse("admin:accounts_apikey_changelist")
        return format_html('<a href="{}?tenant__id__exact={}">{}</a>', page, tenant.pk, tenant.key_count)

    @display(description="model name in answers", ordering="answer_with_alias")
    def model_names(self, tenant: Tenant) -> str:
        """Show which name answers carry."""
        return "as requested" if tenant.answer_with_alias else "as reported"

    @display(description="created", ordering="created_at")
    def created(self, tenant: Tenant) -> str:
        """Show how long ago the tenant was added."""
        return ago(tenant.created_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        """Count the active keys in the same query."""
        own = ApiKey.objects.filter(in_state("active"), tenant=OuterRef("pk")).order_by()
        count = Subquery(own.values("tenant").annotate(number=Count("pk")).values("number"))
        return super().get_queryset(request).annotate(key_count=Coalesce(count, 0))  # type: ignore[no-any-return]

    def get_fieldsets(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """Ask a new tenant for its short name too."""
        about: list[Any] = [
            ("Who", {"fields": ("name", "slug", *self._switches(obj))}),
            ("What its keys may use", {"fields": (*PAIRS, "networks"), "description": "Empty: everything."}),
        ]
        if obj is not None:
            about.append(
                (
                    "Budgets in dollars",
                    {"fields": ("unpriced", ("fallback_input", "fallback_output")), "description": UNPRICED},
                )
            )
        return about if obj is None else [*about, ("Facts", {"fields": ("id", "created_at")})]

    def fixed_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        """Fix the short name once the tenant exists: clients and records use it."""
        return () if obj is None else ("slug", "id", "created_at")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Keep the boxes for a few lines low."""
        return low(super().formfield_for_dbfield(db_field, request, **kwargs), db_field)

    def has_delete_permission(self, request: HttpRequest, obj: Tenant | None = None) -> bool:
        """Refuse for the default tenant, and for any that ever had a key."""
        if obj is not None and (obj.pk == DEFAULT_TENANT_ID or obj.keys.exists()):
            return False
        return bool(super().has_delete_permission(request, obj))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Tenant | None = None) -> dict[str, tuple[str, ...]]:
        """Propose a short name made of the name."""
        return {"slug": ("name",)} if obj is None else {}

    def _switches(self, tenant: Tenant | None) -> tuple[str, ...]:
        # The default tenant cannot be switched off: the admin token belongs to it.
        always_on = tenant is not None and tenant.pk == DEFAULT_TENANT_ID
        return () if always_on else ("is_active",)
