"""The console's pages for traffic: the request log and one request in full. Nothing here can be changed."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from accounts.models import Tenant
from analytics import dashboard, pictures, queries
from analytics.models import OUTCOMES, RequestLog

SPANS = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
}
MOST_TENANTS = 200  # in the filter
OUTCOME_COLOURS = {"ok": "success", "error": "danger", "refused": "warning", "cancelled": "info"}


class TimeFilter(admin.SimpleListFilter):
    """When the call began."""

    title = "time"
    parameter_name = "within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the spans."""
        return [(name, label) for name, (label, _) in SPANS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RequestLog]) -> QuerySet[RequestLog]:
        """Keep the calls of the chosen span: a range of ids."""
        span = SPANS.get(self.value() or "")
        return queryset.filter(queries.since(span[1])) if span else queryset


class OutcomeFilter(admin.SimpleListFilter):
    """How the call ended."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Return the outcomes, and whether it took more than one attempt."""
        return (*OUTCOMES, ("retried", "More than one attempt"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[RequestLog]) -> QuerySet[RequestLog]:
        """Keep the calls with the chosen outcome."""
        chosen = self.value()
        if chosen == "retried":
            return queryset.filter(attempt_count__gt=1)
        return queryset.filter(outcome=chosen) if chosen in dict(OUTCOMES) else queryset


class UsedFilter(admin.SimpleListFilter):
    """One of the values that the sums know; the log itself is never searched for its values."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[RequestLog]) -> QuerySet[RequestLog]:
        """Keep the calls with the chosen value; a value that makes no sense keeps none."""
        if not self.value():
            return queryset
        try:
            return queryset.filter(**{str(self.parameter_name): self.value()})
        except (ValueError, ValidationError):
            return queryset.none()


class ProviderFilter(UsedFilter):
    """Where the call went."""

    title = "provider"
    parameter_name = "provider_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the providers in use."""
        return [(name, name) for name in queries.used_providers()]


class ModelFilter(UsedFilter):
    """Which model answered."""

    title = "model"
    parameter_name = "model_routed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the models in use."""
        return [(name, name) for name in queries.used_models()]


class TenantFilter(UsedFilter):
    """Who pays."""

    title = "tenant"
    parameter_name = "tenant_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the tenants by name."""
        tenants = Tenant.objects.order_by("name").values_list("id", "name")[:MOST_TENANTS]
        return [(str(identifier), name) for identifier, name in tenants]


class NewestFirst(ChangeList):
    """A list without a count and without deep offsets: the next page begins below this one's last id."""

    older: str | None = None
    newest: str | None = None

    def get_results(self, request: HttpRequest) -> None:
        """Read one page and one row more, which tells whether there is another page."""
        size = self.list_per_page
        rows = list(self.queryset[: size + 1])
        self.result_list = rows[:size]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.result_list, size)
        if len(rows) > size:
            self.older = self.get_query_string({"id__lt": str(self.result_list[-1].pk)}, ["p"])
        if "id__lt" in self.params:
            self.newest = self.get_query_string({}, ["id__lt", "p"])


class OlderPaginator(InfinitePaginator):
    """Two links instead of numbers."""

    template_name = "analytics/older.html"


@admin.register(RequestLog)
class RequestLogAdmin(ModelAdmin):
    """The request log: looked at, never changed."""

    list_display = ("time", "caller", "target", "result", "tokens", "took", "marks")
    list_display_links = ("time",)
    list_select_related = ("tenant", "key")
    list_filter = (TimeFilter, OutcomeFilter, TenantFilter, ProviderFilter, ModelFilter, "stream")
    list_per_page = 50
    list_filter_sheet = True
    sortable_by = ()
    ordering = ("-id",)
    paginator = OlderPaginator
    show_full_result_count = False
    search_fields = ("id",)
    search_help_text = "Search by request id"
    show_facets = admin.ShowFacets.NEVER  # counts over the whole log
    actions = None

    @display(description="time (UTC)", header=True)
    def time(self, call: RequestLog) -> list[str]:
        """Show the moment above the day."""
        return [f"{call.started_at:%H:%M:%S}", f"{call.started_at:%-d %b %Y}"]

    @display(description="caller", header=True)
    def caller(self, call: RequestLog) -> list[str]:
        """Show the tenant above the key."""
        return [call.tenant.name if call.tenant else "—", call.key.label if call.key else "no stored key"]

    @display(description="model", header=True)
    def target(self, call: RequestLog) -> list[str]:
        """Show what was asked for above where it went."""
        if not call.provider_id:
            return [call.model_requested or "—", "went nowhere"]
        asked, routed = call.model_requested, call.model_routed
        same = asked in {routed, f"{call.provider_id}/{routed}"}
        return [asked or "—", call.provider_id if same else f"{call.provider_id} / {routed}"]

    @display(description="result", label=OUTCOME_COLOURS)
    def result(self, call: RequestLog) -> tuple[str, str]:
        """Show status and outcome as a coloured mark."""
        return call.outcome, pictures.result(call)

    @display(description="tokens in / out")
    def tokens(self, call: RequestLog) -> str:
        """Show what was counted, and a tilde if it was estimated."""
        return f"{pictures.tokens(call, call.input_tokens)} / {pictures.tokens(call, call.output_tokens)}"

    @display(description="duration", header=True)
    def took(self, call: RequestLog) -> list[str]:
        """Show the whole above the time to the first byte."""
        first = "" if call.first_event_ms is None else f"first byte {pictures.span(call.first_event_ms)}"
        return [pictures.span(call.duration_ms), first]

    @display(description="marks", label=True)
    def marks(self, call: RequestLog) -> list[str]:
        """Mark streams and calls that took more than one attempt."""
        attempts = [f"{call.attempt_count} attempts"] if call.attempt_count > 1 else []
        return [*(["stream"] if call.stream else []), *attempts]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds to the log by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: RequestLog | None = None) -> bool:
        """Nobody changes the log."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RequestLog | None = None) -> bool:
        """Only retention throws away."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the first page's source of newer numbers."""
        live = path("live/", self.admin_site.admin_view(self.live), name="analytics_requestlog_live")
        return [live, *super().get_urls()]

    def live(self, request: HttpRequest) -> HttpResponse:
        """Answer with the first page's numbers."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return dashboard.live(request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that needs no count."""
        return NewestFirst

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RequestLog], search_term: str
    ) -> tuple[QuerySet[RequestLog], bool]:
        """Find a call by our id, or by the id that the client gave it."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Q(request_id=term)
        with contextlib.suppress(ValueError):
            named |= Q(id=UUID(term))
        return queryset.filter(named), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one call in full."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        call = queries.call(object_id)
        if call is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Request",
            "subtitle": str(call.pk),
            "call": call,
            "bars": pictures.bars(call, queries.attempts_of(call)),
            **pictures.facts(call),
        }
        return TemplateResponse(request, "analytics/request.html", context)
