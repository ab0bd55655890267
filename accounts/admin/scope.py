"""Which rows a page shows, offers and changes: the one place where the console's pages ask for rights.

A page says by `tenant_path` how a row leads to its tenant (`pk` for tenants themselves); a page without one is the
whole house's. Its rights are those of its table in roles.py. What is not one's own is not there: 404.
"""

from typing import TYPE_CHECKING, Any, Final, NoReturn

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from accounts import active_tenant, rights
from accounts.models import ApiKey, Tenant
from accounts.rights import Right, Who
from accounts.roles import rights_for

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin as _Page
else:
    _Page = object

# Tables whose rows are offered in forms, and how each leads to its tenant.
OFFERED: Final[dict[type[Model], str]] = {Tenant: "pk", ApiKey: "tenant"}


def who(request: HttpRequest) -> Who:
    """Return who looks, narrowed to the tenant that they chose."""
    return active_tenant.narrowed(request.session, rights.of(request.user))


class Scoped(_Page):
    """An admin page that shows, offers and changes only what the operator's roles reach."""

    tenant_path = ""

    def who(self, request: HttpRequest) -> Who:
        """Return who looks; the chosen tenant narrows no page of the whole house."""
        return who(request) if self.tenant_path else rights.of(request.user)

    def reads(self) -> Right:
        """Return the right to look at rows of this page."""
        return rights_for(self.opts.label_lower)[0]

    def writes(self) -> Right:
        """Return the right to change them."""
        return rights_for(self.opts.label_lower)[1]

    def may(self, request: HttpRequest, right: Right, obj: Any) -> bool:
        """Tell whether the operator has a right over a row (or its id, as the theme's buttons say it; 404 for a foreign
        one)."""
        acting = self.who(request)
        if obj is None or not self.tenant_path or not acting.may_open(right):
            return acting.may_open(right)
        if not isinstance(obj, Model):
            obj = self.get_object(request, str(obj))
        if obj is None:
            raise Http404
        return rights.may_on(acting, right, obj, self.tenant_path)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that the operator may look at."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rights.scoped(rows, self.who(request), self.reads(), self.tenant_path) if self.tenant_path else rows

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the right to look, over that row."""
        return self.may(request, self.reads(), obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Ask for the right to change, anywhere."""
        return self.may(request, self.writes(), None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the right to change, over that row."""
        return self.may(request, self.writes(), obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for the right to change, over that row."""
        return self.may(request, self.writes(), obj)

    def has_write_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the same for actions; a page may let more people change some of its fields."""
        return self.may(request, self.writes(), obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the page in lists of pages to those for whom there is something on it."""
        return self.may(request, self.reads(), None)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Let actions see only what the operator may change: looking goes further for some."""
        if self.tenant_path:
            queryset = rights.scoped(queryset, self.who(request), self.writes(), self.tenant_path)
        answer: HttpResponse | None = super().response_action(request, queryset)
        return answer

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only the tenants and keys that the operator may change something of."""
        path = OFFERED.get(db_field.related_model)
        places = self.who(request).places(self.writes())
        if path is not None and places is not None:
            offered = kwargs.get("queryset") or db_field.related_model._default_manager.all()
            kwargs["queryset"] = offered.filter(**{f"{path}__in": places})
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> NoReturn:
        # Django's own way is a message on the first page; here what is another tenant's simply is not there.
        raise Http404


class OwnTenants(admin.RelatedFieldListFilter):
    """A list's filter by tenant that names only the operator's own."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """Return the tenants in which the operator may look at such rows."""
        places = model_admin.who(request).places(model_admin.reads())
        limited = {} if places is None else {"pk__in": places}
        return field.get_choices(include_blank=False, ordering=("name",), limit_choices_to=limited)


def all_fields(page: Any, request: HttpRequest, obj: Any) -> tuple[str, ...]:
    """Return the names of all that a page shows of a row."""
    return tuple(flatten_fieldsets(page.get_fieldsets(request, obj)))
