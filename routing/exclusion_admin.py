"""The console's page for exclusions: models that are not to be had from one provider."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.base import CarefulAdmin
from routing.credential_rules import provider_labels
from routing.models import ModelExclusion

ABOUT = (
    "A model that one provider shall not serve, although it lists it; others may. To refuse a model everywhere, use "
    "“Aliases and preferences”. EXCLUDED_PROVIDER_MODELS is added to what stands here."
)


@admin.register(ModelExclusion)
class ModelExclusionAdmin(CarefulAdmin):
    """Exclusions are added and removed at any time."""

    list_display = ("pattern", "provider", "notes")
    search_fields = ("pattern", "provider_id")
    search_help_text = "Search by model or provider"
    fieldsets = ((None, {"fields": ("provider_id", "pattern", "notes"), "description": ABOUT}),)

    @display(description="at", ordering="provider_id")
    def provider(self, row: ModelExclusion) -> str:
        """Show the provider's name."""
        return provider_labels().get(row.provider_id, row.provider_id)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the providers that are known, and keep the notes low."""
        if db_field.name == "provider_id":
            return forms.ChoiceField(label="Provider", choices=_providers, widget=UnfoldAdminSelectWidget)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "notes" and field is not None:
            field.widget.attrs["rows"] = 2
        return field


def _providers() -> list[tuple[str, str]]:
    return sorted(provider_labels().items(), key=lambda pair: pair[1].lower())
