"""The *History* of any row, out of the audit."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.admin.audit_words import differences, mark
from accounts.audit_entry import AuditEntry

MOST_IN_HISTORY = 200


class WithHistory:
    """A page whose *History* is what the audit knows of its row."""

    opts: Any
    admin_site: Any

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the audit has it."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the audit has it."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Write nothing: the audit has it."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the newest entries about one row to whoever may look at the row."""
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):  # type: ignore[attr-defined]
            raise PermissionDenied
        told = AuditEntry.objects.filter(kind=self.opts.concrete_model._meta.label_lower, object_id=str(row.pk))
        found = told[:MOST_IN_HISTORY]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"History of {row}",
            "original": row,
            "object": row,
            "entries": [(entry, mark(entry), differences(entry)) for entry in found],
        }
        return TemplateResponse(request, "admin/accounts/history.html", context)
