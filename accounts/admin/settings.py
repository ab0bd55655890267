"""The console's page for a tenant's proxy settings: one for each tenant, nothing to add or to delete."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import display

from accounts import tenant_settings
from accounts.admin.base import CarefulAdmin
from accounts.models import TenantSettings
from accounts.profile import Profile

SPEED = (
    "Priority costs more at most providers. Only providers that are asked in Responses know it; a request that names a "
    "service_tier itself keeps it, and x-open-hax-fast-mode: false refuses it."
)

KEPT = "What clients sent and were told, and what providers were. A key may have a setting of its own."


@admin.register(TenantSettings)
class TenantSettingsAdmin(CarefulAdmin):
    """What a tenant's calls get without saying so."""

    tenant_path = "pk"
    conditional_fields = {"bodies_percent": "bodies == 'sampled'"}
    unchosen = {"profile": "No profile", "passthrough_account": "Whichever is next"}
    list_display = ("named", "speed", "pictures", "defaults")
    search_fields = ("slug", "name")
    search_help_text = "Search by name"
    about = "What a tenant's calls get without saying so. Keys and listeners with a profile of their own go before it."

    @display(description="tenant", header=True, ordering="name")
    def named(self, tenant: TenantSettings) -> list[str]:
        """Show the name above the short name."""
        return [str(tenant), tenant.slug]

    @display(description="fast mode", label={"always": "success", "on request": "info"}, ordering="fast_mode")
    def speed(self, tenant: TenantSettings) -> str:
        """Show who gets the priority tier."""
        return {Profile.Fast.ALWAYS: "always", Profile.Fast.ASKED: "on request"}.get(tenant.fast_mode, "off")  # type: ignore[call-overload, no-any-return]

    @display(description="pictures go to", ordering="image_model")
    def pictures(self, tenant: TenantSettings) -> str:
        """Show where requests with pictures go."""
        return tenant.image_model or "the model they name"

    @display(description="request defaults", ordering="profile__name")
    def defaults(self, tenant: TenantSettings) -> str:
        """Show whether a profile applies; its name is not everybody's to see."""
        return "a profile" if tenant.profile_id else "none"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Go straight to the settings of the only tenant there is to look at."""
        only = list(self.get_queryset(request).values_list("pk", flat=True)[:2]) if not request.GET else []
        if len(only) == 1:
            return redirect(reverse("admin:accounts_tenantsettings_change", args=only))
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]

    def get_fieldsets(self, request: HttpRequest, obj: TenantSettings | None = None) -> Any:
        """Leave out what points to rows that this operator may not see."""
        shown = tenant_settings.shown(self.who(request), obj.pk) if obj is not None else ()
        sections = (
            ("Speed", ("fast_mode",), SPEED),
            ("Requests", ("profile", "image_model"), ""),
            ("Answers", ("answer_with_alias",), ""),
            ("What is kept", ("bodies", "bodies_percent"), KEPT),
            ("Passed on as they are", ("passthrough_account",), "Paths below /openai/ and /anthropic/."),
        )
        kept = ((title, [name for name in names if name in shown], said) for title, names, said in sections)
        return [(title, {"fields": names, "description": said}) for title, names, said in kept if names]

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Say in words what it means to choose nothing."""
        if db_field.name == "fast_mode":
            kwargs["choices"] = [("", "Nobody"), *db_field.choices]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Change what the form changed, by the function that the control API calls too."""
        values = {name: getattr(obj, name) for name in form.changed_data if name in tenant_settings.SETTINGS}
        tenant_settings.change(obj.pk, values, by=self.who(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a tenant is added on its own page."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: settings end with their tenant."""
        return False
