"""The console's pages for operators: who may sign in here.

Only owners change them, auditors see them: whoever could edit operators could give themselves anything. Nobody edits
their own access or roles, and nobody is deleted, because the change history would go with them.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from accounts import rights
from accounts.admin.base import CarefulAdmin, ago
from accounts.admin.members import RolesInline
from accounts.models import Membership, Operator
from accounts.rights import Role
from accounts.signin.step_up import NeedsStepUp, asked_again

if TYPE_CHECKING:  # Django's own class cannot be subscripted at run time
    _UserAdmin = UserAdmin[Operator]
else:
    _UserAdmin = UserAdmin

WORDS = {
    "email": ("E-mail", ""),
    "username": ("Username", "Letters, digits and @ . + - _"),
    "is_active": ("Active", "Off: signed out at once, and no way back in."),
    "is_staff": ("May sign in", "To this console."),
    "is_superuser": ("Owner by the command line", "Off: what the roles below say, and no more."),
}
ACCESS = ("is_active", "is_staff", "is_superuser")

admin.site.unregister(Group)


@admin.register(Operator)
class OperatorAdmin(NeedsStepUp, _UserAdmin, CarefulAdmin):
    """People who sign in to this console."""

    form = ModelForm  # type: ignore[assignment]
    add_form = UserCreationForm
    add_form_template = "admin/change_form.html"
    change_password_form = AdminPasswordChangeForm
    list_display = ("named", "roles", "access", "signed_in", "joined")
    list_filter = ("is_active", "memberships__role")
    inlines = (RolesInline,)
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = "Search by name or e-mail"
    ordering = ("username",)
    actions_detail = ("change_password",)
    filter_horizontal = ()
    add_fieldsets = ((None, {"fields": ("username", "email", "password1", "password2")}),)

    @display(description="operator", header=True, ordering="username")
    def named(self, operator: Operator) -> list[str]:
        """Show the name above the full name or the e-mail."""
        return [operator.username, operator.get_full_name() or operator.email]

    @display(description="roles", label=True)
    def roles(self, operator: Operator) -> list[str]:
        """Show the roles, and in which tenants they hold."""
        held = [_in_words(one) for one in operator.memberships.all()]
        return [*([Role.OWNER.label] if operator.is_superuser else []), *held] or ["none"]

    @display(description="state", label={"active": "success", "off": "danger"}, ordering="is_active")
    def access(self, operator: Operator) -> str:
        """Show whether they can sign in."""
        return "active" if operator.is_active and operator.is_staff else "off"

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

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Ask again who is there before a password is set for somebody, and let nobody take over who may do more."""
        target = self.get_object(request, id)
        if target is not None and not rights.covers(rights.of(request.user), rights.of(target)):
            raise PermissionDenied
        return asked_again(request) or super().user_change_password(request, id, form_url)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operator]:
        """Bring the roles along."""
        rows: QuerySet[Operator] = super().get_queryset(request)
        return rows.prefetch_related("memberships__tenant")

    def get_fieldsets(self, request: HttpRequest, obj: Operator | None = None) -> Any:
        """Show the unusual only where it is: somebody who is an owner by the command line, or never was let in."""
        if obj is None:
            return self.add_fieldsets
        access = [
            "is_active",
            *(["is_staff"] if not obj.is_staff else []),
            *(["is_superuser"] if obj.is_superuser else []),
        ]
        return [
            ("Who", {"fields": ("username", ("first_name", "last_name"), "email")}),
            ("Access", {"fields": access}),
            ("Facts", {"fields": (("last_login", "date_joined"),)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Operator | None = None) -> tuple[str, ...]:
        """Fix an operator's access on their own page."""
        facts = ("last_login", "date_joined")
        return (*facts, *ACCESS) if obj is not None and obj.pk == request.user.pk else facts

    def save_model(self, request: HttpRequest, obj: Operator, form: Any, change: bool) -> None:  # noqa: FBT001
        """Let a new operator sign in; what they may do there their roles say."""
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Say in our words what the fields mean."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in WORDS:
            field.label, field.help_text = WORDS[db_field.name]
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: an operator is switched off, the history stays."""
        return False


def _in_words(one: Membership) -> str:
    return one.get_role_display() if one.tenant is None else f"{one.get_role_display()}, {one.tenant}"
