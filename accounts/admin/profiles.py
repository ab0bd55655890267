"""The console's pages for profiles: request options under a name, and who has them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.admin.base import CarefulAdmin
from accounts.models import Profile
from accounts.profile import lines_of

# What the first choice of a list says, instead of dashes.
UNSET = {
    "reasoning_effort": "The model's own default",
    "reasoning_summary": "The model's own default",
    "reasoning_shown": "In each client's own form",
    "fast_mode": "Nobody",
    "preferred_dialect": "The client's own dialect",
}
LINES = 3
ABOUT = (
    "A profile gives requests what they do not say themselves. It does nothing until a tenant, a key or a listener "
    "has it; of several, the listener's counts, then the key's, then the tenant's."
)


@admin.register(Profile)
class ProfileAdmin(CarefulAdmin):
    """Profiles are added and changed at any time; one that is in use is not deleted."""

    about = ABOUT
    list_display = ("name", "does", "used_by")
    search_fields = ("name", "notes")
    search_help_text = "Search by name or notes"
    fieldsets_new = (
        (None, {"fields": ("name",), "description": ABOUT}),
        ("Reasoning", {"fields": (("reasoning_effort", "reasoning_summary"), "complete_reasoning", "reasoning_shown")}),
        ("Words and tools", {"fields": ("temperature", "web_search")}),
        ("Model list", {"fields": ("models_include", "models_exclude", "reasoning_variants")}),
        ("Speed", {"fields": ("fast_mode", "chunk_delay_ms", "chunk_delay_max_ms")}),
        ("On the way to providers", {"fields": ("preferred_dialect", "headers", "blocked_headers")}),
        ("Notes", {"fields": ("notes",)}),
    )

    @display(description="does")
    def does(self, profile: Profile) -> str:
        """Say in words what the profile asks for."""
        return summary(profile) or "nothing yet"

    @display(description="used by")
    def used_by(self, profile: Any) -> str:
        """Say how many listeners, keys and tenants have it."""
        counted = (("listener", profile.listener_count), ("key", profile.key_count), ("tenant", profile.tenant_count))
        return ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for noun, number in counted if number) or "–"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Profile]:
        """Count who has it in the same query."""
        rows: QuerySet[Profile] = super().get_queryset(request)
        return rows.annotate(
            listener_count=Count("listeners", distinct=True),
            key_count=Count("keys", distinct=True),
            tenant_count=Count("tenants", distinct=True),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Profile | None = None) -> Any:
        """Say of an old profile who has it."""
        return self.fieldsets_new if obj is None else (*self.fieldsets_new, ("In use", {"fields": ("used_by",)}))

    def get_readonly_fields(self, request: HttpRequest, obj: Profile | None = None) -> tuple[str, ...]:
        """Show who has it; that is changed over there."""
        return () if obj is None else ("used_by",)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Say in words what it means to choose nothing."""
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        if db_field.name in UNSET:
            field.choices = [("", UNSET[db_field.name]), *db_field.choices]
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Keep the boxes for a few lines low."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, models.TextField) and field is not None:
            field.widget.attrs["rows"] = LINES
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse for one that is in use: calls would change under somebody's hands."""
        in_use = obj is not None and (obj.listeners.exists() or obj.keys.exists() or obj.tenants.exists())
        return not in_use and bool(super().has_delete_permission(request, obj))


def summary(profile: Profile) -> str:
    """Say in a few words what a profile asks for; empty if nothing."""
    return ", ".join(words for say in _SAYS if (words := say(profile)))


def _reasoning(profile: Profile) -> str:
    effort = f"reasoning {profile.get_reasoning_effort_display().lower()}" if profile.reasoning_effort else ""
    shown = profile.reasoning_summary and profile.get_reasoning_summary_display().lower()
    summarised = f"summary: {shown}" if shown else ""
    return ", ".join(filter(None, (effort, summarised)))


def _shown(profile: Profile) -> str:
    return {"text": "reasoning as text", "hidden": "reasoning left out"}.get(profile.reasoning_shown, "")


def _lists(profile: Profile) -> str:
    only, never = lines_of(profile.models_include), lines_of(profile.models_exclude)
    return ", ".join(
        filter(None, (f"lists {' '.join(only)}" if only else "", f"hides {' '.join(never)}" if never else ""))
    )


def _pause(profile: Profile) -> str:
    least, most = profile.chunk_delay_ms or 0, profile.chunk_delay_max_ms or 0
    if not least and not most:
        return ""
    return f"pauses {least} to {most} ms" if most > least else f"pauses {least} ms"


def _headers(profile: Profile) -> str:
    count = len(lines_of(profile.headers)) + len(lines_of(profile.blocked_headers))
    return f"{count} header{'' if count == 1 else 's'}" if count else ""


_SAYS: tuple[Callable[[Profile], str], ...] = (
    lambda one: f"temperature {one.temperature:g}" if one.temperature is not None else "",
    lambda one: "web search" if one.web_search else "",
    _reasoning,
    _shown,
    _lists,
    lambda one: "reasoning in model names" if one.reasoning_variants else "",
    lambda one: {"asked": "fast on request", "always": "fast"}.get(one.fast_mode, ""),
    _pause,
    lambda one: f"asks in {one.get_preferred_dialect_display()}" if one.preferred_dialect else "",
    _headers,
)
