"""The console's pages for single calls: the list, what has just come in, one call in full, files of them, tags.

Calls cannot be changed. What the pages show is call_list.py's and call_page.py's.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from accounts import audit
from accounts.admin.scope import Scoped
from accounts.signin.step_up import asked_again
from analytics import alert_admin as alert_admin  # so that Django finds it
from analytics import call_files, call_list, call_page, call_search, dashboard, queries, tags
from analytics.bodies import page as bodies_page
from analytics.models import RequestLog


@admin.register(RequestLog)
class RequestLogAdmin(Scoped, ModelAdmin):
    """The request log: looked at, tagged and exported, never changed."""

    tenant_path = "tenant"
    actions = None

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
        """Add the first page's source of newer numbers, what has just come in, files and tags."""
        wrap = self.admin_site.admin_view
        return [
            path("live/", wrap(self.live), name="analytics_requestlog_live"),
            path("tail/", wrap(self.tail), name="analytics_requestlog_tail"),
            path("export/<str:form>/", wrap(self.export), name="analytics_requestlog_export"),
            path("<path:object_id>/bodies/", wrap(bodies_page.view), name="analytics_requestlog_bodies"),
            path("<path:object_id>/tags/", wrap(self.tag), name="analytics_requestlog_tags"),
            *super().get_urls(),
        ]

    def live(self, request: HttpRequest) -> HttpResponse:
        """Answer with the first page's numbers."""
        self._must_look(request)
        return dashboard.live(request)

    def tail(self, request: HttpRequest) -> HttpResponse:
        """Answer with lines of what has just come in."""
        self._must_look(request)
        return call_list.tail(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list."""
        self._must_look(request)
        return call_list.page(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one call in full."""
        call = self._call(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Request",
            "subtitle": str(call.pk),
            "may_tag": self._may_tag(request, call),
            "bodies": bodies_page.panel(request, call),
            **call_page.context(request, call),
        }
        return TemplateResponse(request, "analytics/request.html", context)

    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """Send a file of what the filters find; that it was taken out is in the audit."""
        self._must_look(request)
        if form not in call_files.FORMS:
            raise Http404
        if asked := asked_again(request):
            return asked
        filters, scope = call_search.read(request.GET), call_list.scope_of(request)
        only = next(iter(scope)) if scope is not None and len(scope) == 1 else filters.tenant
        audit.note("exported", "requests", {"form": form, "filters": call_search.told(request.GET)}, tenant_id=only)
        return call_files.answer(request, form, filters, scope, call_list.masks_of(request))

    def tag(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put a word on a call, or take one from it, and go back to it."""
        call = self._call(request, object_id)
        if not self._may_tag(request, call):
            raise PermissionDenied
        back = HttpResponseRedirect(reverse("admin:analytics_requestlog_change", args=[call.pk]))
        if request.method != "POST":
            return back
        try:
            if word := request.POST.get("remove"):
                tags.remove(call, word)
            else:
                tags.add(call, request.POST.get("add", ""))
        except tags.NotATag as fault:
            messages.error(request, str(fault))
        return back

    def _must_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _call(self, request: HttpRequest, object_id: str) -> RequestLog:
        self._must_look(request)
        call = queries.call(object_id)
        if call is None or not self.has_view_permission(request, call):
            raise Http404
        return call

    def _may_tag(self, request: HttpRequest, call: RequestLog) -> bool:
        return self.who(request).may(self.writes(), call.tenant_id)
