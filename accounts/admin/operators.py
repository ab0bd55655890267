"""The console's pages for operators: who may sign in here.

Only operators with full access see them: whoever could edit operators could give themselves anything. Nobody edits
their own rights, and nobody is deleted, because the change history would go with them.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from accounts.admin.base import CarefulAdmin, ago
from accounts.models import Operator

if TYPE_CHECKING:  # Django's own class cannot be subscripted at run time
    _UserAdmin = UserAdmin[Operator]
else:
    _UserAdmin = UserAdmin

WORDS = {
    "email": ("E-mail", ""),
    "username": ("Username", "Letters, digits and @ . + - _"),
    "is_active": ("Active", "Off: signed out at once, and no way back in."),
    "is_staff": ("May sign in", "To this console."),
    "is_superuser": ("Full access", "May do everything here, operators included."),
    "user_permissions": ("Rights", "What an operator without full access may see and do."),
}
RIGHTS = ("is_active", "is_staff", "is_superuser", "user_permissions")
# Permissions on other apps' tables (sessions, content types) give nothing that the console shows.
APPS_WITH_PAGES = ("accounts", "routing", "analytics", "oauth", "console")

admin.site.unregister(Group)


@admin.register(Operator)
class OperatorAdmin(_UserAdmin, CarefulAdmin):
    """People who sign in to this console."""

    form = ModelForm  # type: ignore[assignment]
    add_form = UserCreationForm
    add_form_template = "admin/change_form.html"
    change_password_form = AdminPasswordChangeForm
    list_display = ("named", "access", "signed_in", "joined")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = "Search by name or e-mail"
    ordering = ("username",)
    actions_detail = ("change_password",)
    filter_horizontal = ("user_permissions",)
    fieldsets = (
        ("Who", {"fields": ("username", ("first_name", "last_name"), "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Single rights, without full access", {"fields": ("user_permissions",), "classes": ("collapse",)}),
        ("Facts", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2", "is_staff", "is_superuser")}),)

    @display(description="operator", header=True, ordering="username")
    def named(self, operator: Operator) -> list[str]:
        """Show the name above the full name or the e-mail."""
        return [operator.username, operator.get_full_name() or operator.email]

    @display(description="access", label={"full": "success", "limited": "info", "none": "danger"})
    def access(self, operator: Operator) -> str:
        """Show full, limited or none."""
        if not (operator.is_active and operator.is_staff):
            return "none"
        return "full" if operator.is_superuser else "limited"

    @display(description="last sign-in", ordering="last_login")
    def signed_in(self, operator: Operator) -> str:
        """Show how long ago the operator signed in."""
        return ago(operator.last_login)

    @display(description="added", ordering="date_joined")
    def joined(self, operator: Operator) -> str:
        """Show how long ago the operator was added."""
        return ago(operator.date_joined)

    @action(description="Set password", url_path="new-password", icon="password", permissions=["change"])
    def change_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the form for a new password; the old one cannot be shown."""
        return redirect("admin:auth_user_password_change", object_id)

    def get_readonly_fields(self, request: HttpRequest, obj: Operator | None = None) -> tuple[str, ...]:
        """Fix an operator's rights on their own page."""
        facts = ("last_login", "date_joined")
        return (*facts, *RIGHTS) if obj is not None and obj.pk == request.user.pk else facts

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Let a new operator sign in."""
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Say in our words what the fields mean."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in WORDS:
            field.label, field.help_text = WORDS[db_field.name]
        return field

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the permissions that mean something here."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "user_permissions" and field is not None and field.queryset is not None:
            field.queryset = field.queryset.filter(content_type__app_label__in=APPS_WITH_PAGES)
        return field

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Admit operators with full access only."""
        return _has_full_access(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Admit operators with full access only."""
        return _has_full_access(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Admit operators with full access only."""
        return _has_full_access(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Admit operators with full access only."""
        return _has_full_access(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: an operator is switched off, the history stays."""
        return False


def _has_full_access(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.is_active and user.is_superuser)
