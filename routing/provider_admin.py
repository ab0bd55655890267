"""The console's page for providers: every shipped one has its row, private ones are added.

What a provider is comes from providers.toml, the environment and these rows, in that order; empty fields say nothing.
"""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, Count, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from accounts import rights
from accounts.admin.base import CarefulAdmin
from accounts.models import Credential
from accounts.signin.step_up import NeedsStepUp
from proxx.kit import clock
from routing import health_admin, pages, provider_env, provider_rules, providers, reload, rows
from routing.health import Key
from routing.looks import look, looked
from routing.models import CatalogState, ProviderSetting
from routing.provider_form import ProviderForm
from routing.providers import Provider, ProviderFault
from routing.snapshot.building import FRESH_SECONDS

STATE_COLOURS = {
    "ready": "success",
    "off": "danger",
    "damaged": "danger",
    "no answer": "warning",
}
KEPT = "Empty fields keep the shipped value."
LINK = "text-primary-600 dark:text-primary-500"


class StateFilter(admin.SimpleListFilter):
    """In use, shipped, private, off."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the kinds."""
        return [("used", "With credentials"), ("private", "Private"), ("off", "Switched off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen kind."""
        match self.value():
            case "used":
                return queryset.filter(credential_count__gt=0)
            case "private":
                return queryset.exclude(provider_id__in=providers.load())
            case "off":
                return queryset.filter(enabled=False)
            case _:
                return queryset


@admin.register(ProviderSetting)
class ProviderAdmin(NeedsStepUp, health_admin.HealthPanel, CarefulAdmin):
    """All providers, those with credentials first."""

    form = ProviderForm
    list_display = ("named", "state", "health", "speaks", "address", "credentials", "models", "comes_from")
    list_filter = (StateFilter,)
    search_fields = ("provider_id", "label", "base_url")
    search_help_text = "Search by name or address"
    actions = ("enable", "disable", "look_again", "clear_rests")
    add_label = "Add private provider"
    fieldsets_shipped = (
        (None, {"fields": ("named_plain", "enabled", "priority", "strategy"), "description": KEPT}),
        ("As it is now", {"fields": ("address", "speaks_all", "variables", "last_look")}),
        ("Change", {"fields": ("label", "base_url", "auth", "needs_key", "protocols"), "classes": ("collapse",)}),
        ("Details", {"fields": ("paths", "models_paths", "headers", "quirks", "notes"), "classes": ("collapse",)}),
    )
    fieldsets_private = (
        (None, {"fields": ("provider_id", "label", "base_url", "auth", "needs_key", "enabled")}),
        ("Order", {"fields": ("priority", "strategy")}),
        ("Speaks", {"fields": ("protocols",)}),
        ("Details", {"fields": ("paths", "models_paths", "headers", "quirks", "notes"), "classes": ("collapse",)}),
    )

    @display(description="provider", header=True, ordering="provider_id")
    def named(self, row: ProviderSetting) -> list[str]:
        """Show the label above the id that model names and files use, and what it is where the name says little."""
        return [str(row), " · ".join(filter(None, (row.provider_id, _about(row))))]

    @display(description="provider")
    def named_plain(self, row: ProviderSetting) -> str:
        """Show label and id in one line."""
        about = _about(row)
        return f"{row} ({row.provider_id}){f': {about}' if about else ''}"

    @display(description="state", label=STATE_COLOURS)
    def state(self, row: Any) -> str:
        """Show whether calls can go there, and if not, why. A usual address that nobody configured is ready only once
        somebody answered there."""
        provider = effective(row)
        if provider is None:
            return "damaged"
        if not provider.enabled:
            return "off"
        if row.credential_count:
            return "ready"
        if provider.needs_key:
            return "no credential"
        if not provider.base_url:
            return "no address"
        if row.look_fault:
            return "no answer"
        return "ready" if row.fetched_at or provider.base_is_set else "not tried"

    @display(description="health", label=health_admin.COLOURS)
    def health(self, row: Any) -> tuple[str, str]:
        """Show whether its address rests, or how many of its credentials do."""
        for site in health_admin.sites_of(row.provider_id):
            if (found := health_admin.state_of(site))[0] != "well":
                return found
        if row.resting_count:
            word = "last" if row.resting_count < row.credential_count else "rests"
            return word, f"{row.resting_count} of {row.credential_count} rest"
        if row.failing_count:
            return "failed", f"{row.failing_count} of {row.credential_count} failed last"
        return ("well", "well") if row.credential_count else ("", "–")

    def health_names(self, obj: ProviderSetting) -> dict[Key, str]:
        """Return the keys of its addresses and credentials, and by what names people know them."""
        return health_admin.keys_of(obj.provider_id, str(obj))

    @display(description="speaks")
    def speaks(self, row: ProviderSetting) -> str:
        """Show what it prefers to speak, and how much more."""
        provider = effective(row)
        names = [pages.NAMES[name] for name in provider.protocols_for("")] if provider else ["–"]
        return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"

    @display(description="speaks")
    def speaks_all(self, row: ProviderSetting) -> str:
        """Show everything it speaks."""
        provider = effective(row)
        return ", ".join(pages.NAMES[name] for name in provider.protocols_for("")) if provider else "–"

    @display(description="address", ordering="base_url")
    def address(self, row: Any) -> str:
        """Show the base URL in force, or that each credential brings its own."""
        provider = effective(row)
        if provider is not None and provider.base_url:
            return format_html('<span class="px-address">{}</span>', provider.base_url)
        return "with each credential" if row.is_private and row.credential_count else "–"

    @display(description="credentials", ordering="credential_count")
    def credentials(self, row: Any) -> str:
        """Show how many credentials it has, as a way to them."""
        page = reverse("admin:accounts_credential_changelist")
        if not row.credential_count:
            return format_html('<a class="{}" href="{}add/?provider_id={}">Add</a>', LINK, page, row.provider_id)
        link = '<a class="{}" href="{}?provider={}">{}</a>'
        return format_html(link, LINK, page, row.provider_id, row.credential_count)

    @display(description="models", ordering="model_count")
    def models(self, row: Any) -> str:
        """Show how many models it lists, as a way to them, and whether that list is old."""
        if not row.model_count:
            return "–"
        page = reverse("admin:routing_catalogmodel_changelist")
        old = row.fetched_at is None or row.fetched_at < clock.now() - timedelta(seconds=FRESH_SECONDS)
        link = '<a class="{}" href="{}?provider={}">{}</a>{}'
        return format_html(link, LINK, page, row.provider_id, row.model_count, " (old)" if old else "")

    @display(description="from", label={"private": "primary"})
    def comes_from(self, row: ProviderSetting) -> str:
        """Show whether it ships with proxx."""
        return "private" if row.is_private else "shipped"

    @display(description="variables")
    def variables(self, row: ProviderSetting) -> str:
        """Show which variables are read for it."""
        provider = effective(row)
        return ", ".join((*provider.env_keys, *provider.env_base_urls)) if provider else "–"

    @display(description="last look at its models")
    def last_look(self, row: ProviderSetting) -> str:
        """Show when its list was read, and the fault if the last try failed."""
        return looked(CatalogState.objects.filter(provider_id=row.provider_id).first())

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderSetting]:
        """Count credentials and models in the same query; those in use come first."""
        held = Credential.objects.filter(provider_id=OuterRef("provider_id"), enabled=True).order_by()
        count = Subquery(held.values("provider_id").annotate(number=Count("pk")).values("number"))
        resting, failing = (
            held.filter(pk__in=ids).values("provider_id").annotate(number=Count("pk")).values("number")
            for ids in (health_admin.resting_ids(), health_admin.failing_ids())
        )
        look = CatalogState.objects.filter(provider_id=OuterRef("provider_id"))
        # Not super(): that would order by what is only annotated here.
        return ProviderSetting.objects.annotate(
            credential_count=Coalesce(count, 0),
            resting_count=Coalesce(Subquery(resting), 0),
            failing_count=Coalesce(Subquery(failing), 0),
            model_count=Coalesce(Subquery(look.values("count")[:1]), 0),
            fetched_at=Subquery(look.values("fetched_at")[:1]),
            look_fault=Subquery(look.values("fault")[:1]),
            unused=Case(When(credential_count__gt=0, then=Value(0)), default=Value(1), output_field=IntegerField()),
        )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Put those that have credentials first."""
        return ("unused", "provider_id")

    def get_fieldsets(self, request: HttpRequest, obj: ProviderSetting | None = None) -> Any:
        """Ask little of a shipped provider, and for an address of a private one."""
        return self.fieldsets_private if obj is None or obj.is_private else self.fieldsets_shipped

    def get_readonly_fields(self, request: HttpRequest, obj: ProviderSetting | None = None) -> tuple[str, ...]:
        """Fix the id once it exists: credentials and files use it."""
        shown = ("named_plain", "address", "speaks_all", "variables", "last_look")
        return shown if obj is None else (*shown, "provider_id")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Tell the form who is editing."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"may_move": rights.of(request.user).is_owner})

    def has_delete_permission(self, request: HttpRequest, obj: ProviderSetting | None = None) -> bool:
        """Refuse for shipped providers: they are switched off instead."""
        return (obj is None or provider_rules.may_be_deleted(obj)) and bool(super().has_delete_permission(request, obj))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say above the list what the last reload of the configuration could not use."""
        if request.method == "GET" and (fault := reload.last_fault()):
            messages.warning(request, fault)
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]

    @admin.action(description="Switch on", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[ProviderSetting]) -> None:
        """Let calls go to the chosen providers."""
        self._switch(request, queryset, on=True)

    @admin.action(description="Switch off", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ProviderSetting]) -> None:
        """Keep calls from going to the chosen providers; their credentials stay."""
        self._switch(request, queryset, on=False)

    @admin.action(description="Read the list of models now", permissions=["change"])
    def look_again(self, request: HttpRequest, queryset: QuerySet[ProviderSetting]) -> None:
        """Ask the chosen providers for their models."""
        look(request, [row.provider_id for row in queryset])

    @admin.action(description="Clear rests", permissions=["change"])
    def clear_rests(self, request: HttpRequest, queryset: QuerySet[ProviderSetting]) -> None:
        """Let the next call go to the chosen providers, whatever they or their credentials rest for."""
        for row in queryset:
            health_admin.clear_all(self.health_names(row))
        messages.success(request, "Cleared. The next calls may go there.")

    def _switch(self, request: HttpRequest, queryset: QuerySet[ProviderSetting], *, on: bool) -> None:
        changed = list(queryset.exclude(enabled=on))
        for row in changed:
            row.enabled = on
            row.save(update_fields=["enabled"])  # one by one: a bulk update would pass by the signal
        messages.success(request, f"{len(changed)} switched {'on' if on else 'off'}.")


def _about(row: ProviderSetting) -> str:
    shipped = providers.load().get(row.provider_id)
    return shipped.about if shipped is not None else ""


def effective(row: ProviderSetting) -> Provider | None:
    """Return the provider as environment and row leave it, or nothing if that is no usable one."""
    try:
        return rows.applied(row, provider_env.configured()[0])
    except (ProviderFault, TypeError, ValueError, KeyError, AttributeError):
        return None
