"""The choice of the tenant that one looks at: offered on every page to those who see several, kept with the sign-in."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts import active_tenant, rights
from accounts.models import Tenant
from accounts.rights import Right

MOST = 500  # offered


def offered(request: HttpRequest) -> dict[str, Any]:
    """Add the tenants to every page's context (unfold's GLOBAL_CALLBACK); none if there is no choice."""
    who = rights.of(request.user)
    places = who.tenants(Right.TENANTS_READ)
    if places is not None and len(places) < 2:
        return {}
    own = rights.scoped(Tenant.objects.order_by("name"), who, Right.TENANTS_READ, "pk")
    choices = list(own.values_list("pk", "name")[:MOST])
    if len(choices) < 2:
        return {}
    return {"tenant_choices": choices, "active_tenant": active_tenant.chosen(request.session, who)}


@require_POST
def select(request: HttpRequest) -> HttpResponse:
    """Look at one tenant from now on, or at all again, and go back to the list that was open."""
    said = request.POST.get("tenant", "")
    try:
        active_tenant.select(request.session, rights.of(request.user), UUID(said) if said else None)
    except (ValueError, Tenant.DoesNotExist):
        raise Http404 from None
    return _back(request.POST.get("next", ""))


def _back(path: str) -> HttpResponse:
    # A page of one row may be gone from view now, and filters may name another tenant.
    if url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        try:
            name = resolve(path).url_name or ""
        except Resolver404:
            name = ""
        if name.endswith("_changelist"):
            return HttpResponseRedirect(path)
    return redirect("admin:index")
