"""The console's pages for models: what the providers list (read-only), and the operator's wishes on names."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import CharField, F, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from accounts.admin.base import CarefulAdmin, ago
from routing import aliases, facts_shown, followed, looks, reload
from routing.capabilities import Facts
from routing.credential_rules import provider_labels
from routing.models import CatalogModel, FactSetting, ModelPreference

LINES = 3
FOLLOWS = "This follows models.json: change it there, and it changes here within seconds."


class ListingProviderFilter(admin.SimpleListFilter):
    """The providers that list models, by label."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the providers that list anything."""
        labels = provider_labels()
        listing = CatalogModel.objects.order_by("provider_id").values_list("provider_id", flat=True).distinct()
        return [(provider_id, labels.get(provider_id, provider_id)) for provider_id in listing]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CatalogModel]) -> QuerySet[CatalogModel]:
        """Keep the models of the chosen provider."""
        return queryset.filter(provider_id=self.value()) if self.value() else queryset


@admin.register(CatalogModel)
class CatalogModelAdmin(CarefulAdmin):
    """What the providers list, as they said it last; nothing here is edited, but a name can be refused."""

    list_display = ("named", "offered", "size", "able", "priced", "first_seen", "correct")
    list_filter = (ListingProviderFilter,)
    search_fields = ("model_id", "display_name")
    search_help_text = "Search by model name"
    ordering = ("provider_id", "position")
    actions = ("refuse", "offer")
    list_before_template = "admin/routing/lists.html"

    @display(description="model", header=True, ordering="model_id")
    def named(self, row: CatalogModel) -> list[str]:
        """Show the name above its provider."""
        return [row.model_id, row.provider_id]

    @display(description="offered", label={"offered": "success", "refused": "danger"})
    def offered(self, row: Any) -> str:
        """Show whether clients may ask for it."""
        return "refused" if row.is_refused else "offered"

    @display(description="context", header=True, ordering="context_window")
    def size(self, row: CatalogModel) -> list[str]:
        """Show the context window above the longest answer."""
        return facts_shown.size(_facts(row))

    @display(description="can do")
    def able(self, row: CatalogModel) -> str:
        """Show what it reads and does."""
        return facts_shown.able(_facts(row))

    @display(description="$ per million in / out", header=True)
    def priced(self, row: CatalogModel) -> list[str]:
        """Show input and output price above where it comes from."""
        return facts_shown.price(_facts(row).price)

    @display(description="")
    def correct(self, row: CatalogModel) -> str:
        """Lead to the operator's own word on its facts."""
        target = reverse("admin:routing_catalogmodel_facts", args=[row.pk])
        return format_html('<a class="px-ask" href="{}">correct</a>', target)

    @display(description="first seen", ordering="first_seen_at")
    def first_seen(self, row: CatalogModel) -> str:
        """Show since when it is listed."""
        return ago(row.first_seen_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogModel]:
        """Bring the operator's refusal along in the same query."""
        # Lower() on both sides: the preference's unique index is on it.
        wishes = ModelPreference.objects.annotate(key=Lower("name")).filter(key=OuterRef("key"))
        rows: QuerySet[CatalogModel] = super().get_queryset(request)
        rows = rows.annotate(key=Lower(F("model_id"), output_field=CharField()))
        return rows.annotate(is_refused=Subquery(wishes.values("disabled")[:1]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: the providers say what they have."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: CatalogModel | None = None) -> bool:
        """Refuse edits of a row; the list's actions ask for the right to change wishes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CatalogModel | None = None) -> bool:
        """Refuse: the next look would bring it back."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say above the list when each provider was asked, and why it has no models."""
        lists = looks.lists() if request.method == "GET" else []
        above = {
            "lists": lists,
            "has_accounts": looks.has_accounts(),
            "nothing_listed": not any(one["count"] for one in lists),
            "may_look": _may_look(request),
        }
        return super().changelist_view(request, above | (extra_context or {}))  # type: ignore[no-any-return]

    def get_urls(self) -> list[Any]:
        """Add the address behind “Refresh now”."""
        look = self.admin_site.admin_view(require_POST(self.look_now))
        facts = self.admin_site.admin_view(self.say_facts)
        return [
            path("look/", look, name="routing_catalogmodel_look"),
            path("<int:pk>/facts/", facts, name="routing_catalogmodel_facts"),
            *super().get_urls(),
        ]

    def look_now(self, request: HttpRequest) -> HttpResponse:
        """Ask all providers, or the one that is named, for their models now; the page waits for quick answers only."""
        if not _may_look(request):
            raise PermissionDenied
        named = request.POST.get("provider", "")
        looks.look(request, [named] if named else None)
        return redirect("admin:routing_catalogmodel_changelist")

    def say_facts(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lead to the operator's row on this model's facts, or to a new one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(CatalogModel, pk=pk)
        said = FactSetting.objects.filter(model__iexact=row.model_id, provider_id=row.provider_id).first()
        if said is not None:
            return redirect("admin:routing_factsetting_change", said.pk)
        known = {"model": row.model_id, "provider_id": row.provider_id}
        return redirect(f"{reverse('admin:routing_factsetting_add')}?{urlencode(known)}")

    def has_wish_permission(self, request: HttpRequest) -> bool:
        """Allow the list's actions to those who may change wishes on models."""
        return request.user.has_perm("routing.change_modelpreference")

    @admin.action(description="Hide and refuse", permissions=["wish"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[CatalogModel]) -> None:
        """Refuse the chosen models, at whichever provider."""
        messages.success(request, f"{wish_disabled(list(queryset), disabled=True)} models refused.")

    @admin.action(description="Offer again", permissions=["wish"])
    def offer(self, request: HttpRequest, queryset: QuerySet[CatalogModel]) -> None:
        """Offer the chosen models again."""
        messages.success(request, f"{wish_disabled(list(queryset), disabled=False)} models offered again.")


@admin.register(ModelPreference)
class ModelPreferenceAdmin(CarefulAdmin):
    """Aliases, refusals, preferred order, models that no list has."""

    list_display = ("name", "meaning", "came_from")
    list_filter = ("disabled", "declared", "source")
    search_fields = ("name", "alias_of")
    search_help_text = "Search by name or target"
    add_label = "Add alias or preference"

    @display(description="means")
    def meaning(self, row: ModelPreference) -> str:
        """Say in words what the row asks for."""
        said = [
            _leads(row),
            "is refused" if row.disabled else "",
            f"is preferred, rank {row.rank}" if row.rank is not None else "",
            "exists without being listed" if row.declared else "",
        ]
        return ", ".join(filter(None, said)) or "nothing"

    @display(description="from", ordering="source")
    def came_from(self, row: ModelPreference) -> str:
        """Show where the row came from."""
        return row.get_source_display()

    def get_fieldsets(self, request: HttpRequest, obj: ModelPreference | None = None) -> Any:
        """Say so where a file would overwrite what is typed."""
        fields = ("name", "alias_of", "alias_enabled", "disabled", "rank", "notes")
        words = {"fields": fields, "description": FOLLOWS if followed.follows(obj) else None}
        return [(None, words), ("Not in any list", {"fields": ("declared", "owned_by"), "classes": ("collapse",)})]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Keep the boxes for a few lines low."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, TextField) and field is not None:
            field.widget.attrs["rows"] = LINES
        return field

    def has_change_permission(self, request: HttpRequest, obj: ModelPreference | None = None) -> bool:
        """Refuse where models.json says it."""
        return not followed.follows(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: ModelPreference | None = None) -> bool:
        """Refuse where models.json would bring it back."""
        return not followed.follows(obj) and bool(super().has_delete_permission(request, obj))


def wish_disabled(models: list[CatalogModel], *, disabled: bool) -> int:
    """Refuse these names, or take the refusal back; return how many changed. What else was wished stays."""
    changed = 0
    rows = {row.name.lower(): row for row in ModelPreference.objects.all()}
    for name in dict.fromkeys(model.model_id for model in models):
        row = rows.get(name.lower()) or ModelPreference(name=name)
        if row.disabled == disabled:
            continue
        row.disabled = disabled
        changed += 1
        if _says_nothing(row):
            row.delete()
        else:
            # The operator's word from here on: models.json must not take it back.
            row.source = ModelPreference.Source.CONSOLE
            row.save()
    return changed


def _leads(row: ModelPreference) -> str:
    if not row.alias_of:
        return ""
    there = " or else ".join(row.targets)
    if not row.alias_enabled:
        return f"would go to {there}, but is switched off"
    missing = aliases.nowhere(row.targets, reload.current())
    return f"goes to {there} (not to be had now: {', '.join(missing)})" if missing else f"goes to {there}"


def _may_look(request: HttpRequest) -> bool:
    return request.user.has_perm("routing.change_providersetting")


def _says_nothing(row: ModelPreference) -> bool:
    return row.pk is not None and not (row.disabled or row.alias_of or row.declared or row.rank is not None)


def _facts(row: CatalogModel) -> Facts:
    """Return what calls go by; of a provider that takes no calls, what its list said."""
    snapshot = reload.current()
    if row.provider_id in snapshot.providers:
        return snapshot.facts_of(row.provider_id, row.model_id)
    return row.facts()
