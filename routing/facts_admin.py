"""The console's page for what an operator knows of models: better than any list."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.base import CarefulAdmin, low
from routing import facts_shown
from routing.credential_rules import provider_labels
from routing.models import FactSetting

EVERYWHERE = "Every provider"
ABOUT = (
    "Empty fields leave what the provider and the price list say. A model known to lack something is not asked for it "
    "while another has it; what nobody knows excludes nothing."
)


@admin.register(FactSetting)
class FactSettingAdmin(CarefulAdmin):
    """Limits, abilities and prices by the operator's word."""

    list_display = ("named", "meaning", "priced")
    search_fields = ("model", "provider_id")
    search_help_text = "Search by model or provider"
    add_label = "Add facts"
    actions_list = ("price_again",)
    fieldsets = (
        (None, {"fields": ("model", "provider_id"), "description": ABOUT}),
        ("Size", {"fields": (("context_window", "max_output_tokens"),)}),
        ("What it can do", {"fields": (("images", "pdf"), ("audio", "tools"), ("schema", "reasoning"))}),
        (
            "Price",
            {
                "fields": (
                    ("price_input", "price_output"),
                    ("price_cache_read", "price_cache_write"),
                    ("price_cache_write_1h", "price_reasoning"),
                )
            },
        ),
        (
            "Price of sound and pictures",
            {"fields": (("price_audio_in", "price_audio_out"), ("price_image_in", "price_image_out"))},
        ),
        (
            "Price by the piece, and of long or special calls",
            {"fields": (("price_image", "price_search"), "price_request", "price_tiers")},
        ),
        (None, {"fields": ("notes",)}),
    )

    @action(description="Price a period again", url_path="again", permissions=["change"])
    def price_again(self, request: HttpRequest) -> HttpResponse:
        """Lead to the page that prices recorded calls by what stands here now."""
        return redirect("reprice")  # it reads the log, which is above this room

    @display(description="model", header=True, ordering="model")
    def named(self, row: FactSetting) -> list[str]:
        """Show the name above where it holds."""
        return [row.model, provider_labels().get(row.provider_id, row.provider_id) or EVERYWHERE]

    @display(description="says")
    def meaning(self, row: FactSetting) -> str:
        """Say in words what the row says."""
        return facts_shown.words(row.facts()) or "nothing but a price"

    @display(description="$ per million in / out", header=True)
    def priced(self, row: FactSetting) -> list[str]:
        """Show the price that the row gives."""
        price = row.facts().price
        return facts_shown.price(price) if price else ["as the lists say", ""]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the providers by label, and keep the notes low."""
        if db_field.name == "provider_id":
            choices = [("", EVERYWHERE), *sorted(provider_labels().items(), key=lambda pair: pair[1].lower())]
            return forms.ChoiceField(
                choices=choices, required=False, label="Provider", widget=UnfoldAdminSelectWidget(choices=choices)
            )
        return low(super().formfield_for_dbfield(db_field, request, **kwargs), db_field)
