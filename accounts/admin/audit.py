"""The console's pages for the audit: what was done, by whom, and what it changed. Nothing here can be changed."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts import audit, audit_export, rights
from accounts.acting import ActorKind
from accounts.admin.audit_words import differences, mark, page_of_row, table_name
from accounts.admin.paging import NewestFirst, OlderPaginator
from accounts.admin.scope import who
from accounts.audit_entry import AuditEntry
from accounts.models import Tenant
from accounts.rights import Right
from accounts.signin.step_up import asked_again
from proxx.kit import clock

SPANS = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
}
COLOURS = {"added": "success", "changed": "info", "deleted": "danger", "event": "warning"}
EXPORTS = {
    "jsonl": ("application/x-ndjson", audit_export.jsonl),
    "csv": ("text/csv; charset=utf-8", audit_export.as_csv),
}
LONGEST_REASON = 80
SHOWN = 3  # changed fields in a line of the list
MOST_EXPORTED = 50_000  # from the console; `export_audit` writes everything


class SpanFilter(admin.SimpleListFilter):
    """When it was done."""

    title = "time"
    parameter_name = "within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the spans."""
        return [(name, label) for name, (label, _) in SPANS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep the entries of the chosen span."""
        span = SPANS.get(self.value() or "")
        return queryset.filter(at__gte=clock.now() - span[1]) if span else queryset


class ActionFilter(admin.SimpleListFilter):
    """What was done."""

    title = "action"
    parameter_name = "did"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the three changes, and everything else."""
        return [*AuditEntry.Action.choices, ("event", "Other events")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep the entries with the chosen action."""
        chosen = self.value()
        if chosen == "event":
            return queryset.exclude(action__in=AuditEntry.Action.values)
        return queryset.filter(action=chosen) if chosen in AuditEntry.Action.values else queryset


class KindFilter(admin.SimpleListFilter):
    """To which table it was done."""

    title = "what"
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the audited tables by name."""
        from accounts.audited import Audited

        found = [model._meta for model in apps.get_models() if issubclass(model, Audited)]
        return sorted(
            ((meta.label_lower, str(meta.verbose_name).capitalize()) for meta in found), key=lambda one: one[1]
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep the entries of the chosen table."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    """What kind of actor did it."""

    title = "by"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the kinds of actors."""
        return [(kind.value, kind.value.capitalize()) for kind in ActorKind]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep the entries of the chosen kind."""
        return queryset.filter(actor_kind=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):
    """The audit: looked at and exported, never changed."""

    list_display = ("when", "who", "did", "what", "told", "because")
    list_display_links = ("when",)
    list_filter = (SpanFilter, ActionFilter, KindFilter, ActorFilter)
    list_filter_sheet = True
    list_per_page = 50
    sortable_by = ()
    ordering = ("-sequence",)
    paginator = OlderPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("object_name",)
    search_help_text = "Search by the name or id of what was changed, or by who did it"
    actions = None
    actions_list = ("export_jsonl", "export_csv")

    @display(description="time (UTC)", header=True)
    def when(self, entry: AuditEntry) -> list[str]:
        """Show the moment above the day."""
        return [f"{entry.at:%H:%M:%S}", f"{entry.at:%-d %b %Y}"]

    @display(description="who", header=True)
    def who(self, entry: AuditEntry) -> list[str]:
        """Show who did it above what they are and where they called from."""
        return [entry.actor, " · ".join(filter(None, (entry.actor_kind, entry.address)))]

    @display(description="did", label=COLOURS)
    def did(self, entry: AuditEntry) -> tuple[str, str]:
        """Show the action as a coloured mark."""
        return (entry.action if entry.action in COLOURS else "event"), entry.action

    @display(description="what", header=True)
    def what(self, entry: AuditEntry) -> list[str]:
        """Show the row's name above its table's."""
        return [entry.object_name or "—", table_name(entry.kind)]

    @display(description="changes")
    def told(self, entry: AuditEntry) -> str:
        """Show which fields changed."""
        names = [name for name, _, _ in differences(entry)]
        more = len(names) - SHOWN
        return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "") or "—"

    @display(description="reason")
    def because(self, entry: AuditEntry) -> str:
        """Show why, as far as somebody said."""
        return Truncator(entry.reason).chars(LONGEST_REASON) or "—"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Keep what the operator may see: all of it, or the matters of their tenants."""
        return rights.scoped(AuditEntry.objects.all(), who(request), Right.AUDIT_READ, "tenant_id")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NewestFirst]:
        """Return the list that needs no count."""
        return NewestFirst

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Find entries by id, by name or by who did it."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Q(object_id=term) | Q(object_name__icontains=term) | Q(actor_name__icontains=term)
        return queryset.filter(named), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds to it by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Nobody changes it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Nobody takes from it."""
        return False

    @action(description="Export JSONL", icon="download", url_path="jsonl", permissions=["view"])
    def export_jsonl(self, request: HttpRequest) -> HttpResponse:
        """Send a file with everything that is hashed, which can be verified."""
        return self._export(request, "jsonl")

    @action(description="Export CSV", icon="table", url_path="csv", permissions=["view"])
    def export_csv(self, request: HttpRequest) -> HttpResponse:
        """Send a file for spreadsheets."""
        return self._export(request, "csv")

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Refuse: an entry has no history, it is one."""
        raise PermissionDenied

    def _export(self, request: HttpRequest, form: str) -> HttpResponse:
        """Send the newest entries, oldest first; that they were taken out is in the audit, too."""
        if asked := asked_again(request):
            return asked
        kind, write = EXPORTS[form]
        entries = list(reversed(self.get_queryset(request).order_by("-sequence")[:MOST_EXPORTED]))
        audit.note("exported", "the audit", {"entries": len(entries), "form": form})
        name = f'attachment; filename="audit-{clock.now():%Y-%m-%d}.{form}"'
        return HttpResponse("".join(write(entries)), content_type=kind, headers={"Content-Disposition": name})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one entry in full."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entry = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Audit entry",
            "subtitle": f"No. {entry.sequence}",
            "entry": entry,
            "mark": mark(entry),
            "table": table_name(entry.kind),
            "tenant": Tenant.objects.filter(pk=entry.tenant_id).first() if entry.tenant_id else None,
            "differences": differences(entry),
            "page_of_row": page_of_row(entry),
        }
        return TemplateResponse(request, "admin/accounts/audit_entry.html", context)
