"""The console's pages for who has which role where: a list for tenants, a table on each operator's page.

Roles are given and taken, never edited. Nobody's own, and none that holds more than oneself has (`rights.refusal`).
"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import rights
from accounts.admin.base import CarefulAdmin, ago
from accounts.admin.scope import OwnTenants
from accounts.models import Membership, Operator
from accounts.rights import Role, Who
from accounts.roles import OF_A_TENANT, SAYS
from accounts.signin.step_up import NeedsStepUp

if TYPE_CHECKING:
    _MemberForm = forms.ModelForm[Membership]
    _RolesFormSet = forms.BaseInlineFormSet[Membership, Operator, "MemberForm"]
else:
    _MemberForm = forms.ModelForm
    _RolesFormSet = forms.BaseInlineFormSet

ABOUT = "Who may do what in a tenant. Roles of the whole house are given on an operator's own page."
ROLE_COLOURS = {"owner": "danger", "operator": "warning", "auditor": "info", "billing": "info",
                "tenant_admin": "primary", "tenant_member": "success"}  # fmt: skip
NOBODY_THERE = "No operator here has this name or e-mail address. An owner adds operators."


def offered_roles(by: Who) -> list[tuple[str, str]]:
    """Return the roles that somebody may give, somewhere, each with what it says."""
    places: list[UUID | None] = [None, *by.own] if by.only is None else [None, by.only]
    may = [role for role in Role if any(by.may(one, place) for place in places for one in [_needed(role)])]
    return [("", "Choose a role"), *((role.value, f"{role.label}: {SAYS[role]}") for role in may)]


class MemberForm(_MemberForm):
    """One role for one operator; `by` is who gives it."""

    by: Who = rights.NOBODY

    role = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Membership
        fields = ("role", "tenant", "reads_bodies")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            self.fields["role"].choices = offered_roles(self.by)  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        # Only now the row has its place; what is missing in the form is told already.
        if not self.errors and (why := self._refusal()):
            self.add_error(None, why)

    def _refusal(self) -> str:
        row = self.instance
        operator_id = row.operator_id or self._own_operator_id()
        return rights.refusal(self.by, operator_id, row.rights, row.tenant_id)

    def _own_operator_id(self) -> UUID:
        operator: Operator = self.instance.operator
        return operator.pk


class AddMemberForm(MemberForm):
    """The same, with the operator typed in: who may add members need not see the list of all operators."""

    person = forms.CharField(
        label="Operator",
        max_length=254,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Username or e-mail address of somebody who can sign in here.",
    )

    def clean_person(self) -> str:
        """Find the operator."""
        typed: str = self.cleaned_data["person"].strip()
        found = list(Operator.objects.filter(Q(username=typed) | Q(email__iexact=typed), is_active=True)[:2])
        if len(found) != 1:
            raise forms.ValidationError(NOBODY_THERE)
        self.instance.operator = found[0]
        return typed

    def clean(self) -> dict[str, Any]:
        """Refuse what is had already."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        had = Membership.objects.filter(operator=self.instance.operator_id, role=cleaned.get("role"))
        if "person" in cleaned and had.filter(tenant=cleaned.get("tenant")).exists():
            self.add_error("role", "They have this role there already.")
        return cleaned


@admin.register(Membership)
class MembershipAdmin(NeedsStepUp, CarefulAdmin):
    """Members are added and removed."""

    about = ABOUT
    tenant_path = "tenant"
    form = AddMemberForm
    add_label = "Add member"
    list_display = ("person", "role_shown", "tenant_shown", "bodies", "since")
    list_display_links = ("person",)
    list_filter = (("tenant", OwnTenants), "role")
    list_select_related = ("operator", "tenant")
    search_fields = ("operator__username", "operator__email", "operator__first_name", "operator__last_name")
    search_help_text = "Search by name or e-mail"
    unchosen = {"tenant": "The whole house"}

    @display(description="member", header=True, ordering="operator__username")
    def person(self, row: Membership) -> list[str]:
        """Show the username above name or e-mail."""
        return [row.operator.username, row.operator.get_full_name() or row.operator.email]

    @display(description="role", label=ROLE_COLOURS, ordering="role")
    def role_shown(self, row: Membership) -> tuple[str, str]:
        """Show the role."""
        return row.role, row.get_role_display()

    @display(description="in", ordering="tenant__name")
    def tenant_shown(self, row: Membership) -> str:
        """Show the tenant, or that it holds everywhere."""
        return str(row.tenant) if row.tenant is not None else "the whole house"

    @display(description="prompts and answers")
    def bodies(self, row: Membership) -> str:
        """Show whether they may read what was said."""
        return "may read them" if row.reads_bodies else "–"

    @display(description="since", ordering="created_at")
    def since(self, row: Membership) -> str:
        """Show since when."""
        return ago(row.created_at)

    @display(description="may")
    def says(self, row: Membership) -> str:
        """Show what the role says."""
        return SAYS[Role(row.role)]

    def get_fieldsets(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        """Ask who, as what and where; show it afterwards."""
        if obj is None:
            bodies = ("reads_bodies",) if self.who(request).may_open(rights.Right.BODIES_READ) else ()
            return [(None, {"fields": ("person", "role", "tenant", *bodies)})]
        return [(None, {"fields": ("person", "role_shown", "says", "tenant_shown", "bodies", "created_at")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        """Fix everything once it is there."""
        return () if obj is None else ("person", "role_shown", "says", "tenant_shown", "bodies", "created_at")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Tell the form who gives the role."""
        by = self.who(request)
        form = type("GivenForm", (AddMemberForm if obj is None else forms.ModelForm,), {"by": by})
        made = super().get_form(request, obj, change, form=form, **kwargs)
        if "tenant" in made.base_fields and not by.is_owner:
            field = made.base_fields["tenant"]
            field.required, field.empty_label, field.help_text = True, "Choose a tenant", ""
            field.widget.can_add_related = field.widget.can_change_related = field.widget.can_view_related = False
        return made

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Refuse: a role is taken and another one given."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Let nobody take their own, or what they could not give."""
        if not super().has_delete_permission(request, obj):
            return False
        return obj is None or not _refusal_of(self.who(request), obj)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:  # noqa: FBT001
        """Give the role."""
        by = self.who(request)
        given = rights.grant(obj.operator, Role(obj.role), obj.tenant, by=by, reads_bodies=obj.reads_bodies)
        obj.pk = given.pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """Take the role."""
        rights.withdraw(obj, by=self.who(request))


class RolesFormSet(_RolesFormSet):
    """An operator's roles; what is taken away is judged like what is given."""

    by: Who = rights.NOBODY

    def clean(self) -> None:
        """Refuse to take what could not be given."""
        super().clean()
        for form in self.deleted_forms:
            if why := _refusal_of(self.by, form.instance):
                raise forms.ValidationError(why)


class RolesInline(TabularInline):
    """The roles on an operator's page."""

    model = Membership
    form = MemberForm
    formset = RolesFormSet
    fields = ("role", "tenant", "reads_bodies")
    extra = 0
    hide_title = True
    verbose_name = "role"
    verbose_name_plural = "roles"

    def get_formset(self, request: HttpRequest, obj: Operator | None = None, **kwargs: Any) -> Any:
        """Tell the forms who gives the roles, and leave out what they cannot give."""
        by = rights.of(request.user)
        kwargs["form"] = type("RoleForm", (MemberForm,), {"by": by})
        made = super().get_formset(request, obj, **kwargs)
        made.by = by
        made.form.base_fields["tenant"].empty_label = "The whole house"
        if not by.may_open(rights.Right.BODIES_READ):
            made.form.base_fields["reads_bodies"].disabled = True
        return made

    def has_view_permission(self, request: HttpRequest, obj: Operator | None = None) -> bool:
        """Show the roles to all who see the operator."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: Operator | None = None) -> bool:
        """Refuse: a role is taken and another one given."""
        return False

    def has_add_permission(self, request: HttpRequest, obj: Operator | None = None) -> bool:
        """Let owners give roles to others."""
        return rights.of(request.user).is_owner and not (isinstance(obj, Model) and obj.pk == request.user.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Operator | None = None) -> bool:
        """Let owners take them from others."""
        return self.has_add_permission(request, obj)


def _needed(role: Role) -> rights.Right:
    return rights.Right.MEMBERS_WRITE if role in OF_A_TENANT else rights.Right.OPERATORS_WRITE


def _refusal_of(by: Who, row: Membership) -> str:
    return rights.refusal(by, row.operator_id, row.rights, row.tenant_id)
