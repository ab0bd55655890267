"""Every route against every role: what routes.txt says of it holds, and a route that it does not name fails here.

The routes are read from the running tables: the console's resolver, the client paths' operations, the control API's
(each with the policy it was built with), and the sockets. Another tenant's id is not there, whatever one asks of it.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from django.contrib.auth.hashers import make_password
from django.urls import get_resolver

from accounts import rights, scopes
from accounts.models import AdmissionEntry, AuditEntry, Operator, Profile, Tenant
from accounts.rights import Right, Role
from accounts.roles import INSTEAD, OF_A_TENANT
from accounts.signin import step_up
from analytics.models import Alert, AlertRule, RequestLog
from analytics.rows import insert
from proxx import asgi
from proxx.api.app import api
from proxx.api.auth import Everybody
from proxx.api.control import app as control
from routing import looks, quota_refresh
from routing.models import (
    CatalogModel,
    FactSetting,
    Listener,
    ModelExclusion,
    ModelPreference,
    PolicyRule,
    ProviderSetting,
)
from tests import factories
from tests.analytics.records import record

ANYBODY, SIGNED_IN, NOBODY, SIGN_IN, OWN = "anybody", "signed-in", "nobody", "sign-in", "own"
EVERY_SCOPE = "|".join(sorted({*scopes.FAMILIES, scopes.FILES}))
HASHED = make_password("irrelevant here, and long")
TABLE = Path(__file__).with_name("routes.txt")
REFUSED = {401, 403, 404}


class Line(NamedTuple):
    """One route as the table declares it."""

    method: str
    path: str
    policy: str

    @property
    def named(self):
        return [Right(one) for one in self.policy.split("|")]


def declared() -> list[Line]:
    lines = (line.split() for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("#"))
    return [Line(method, path, policy) for methods, path, policy in lines for method in methods.split(",")]


def walk(resolver, path="/"):
    for pattern in resolver.url_patterns:
        here = path + re.sub(r"^\^?\(\?P(<\w+>)[^)]*\)(.*?)\$?$", r"\1\2", str(pattern.pattern))
        if getattr(pattern, "namespace", "") == "control":
            continue  # its operations carry their policies themselves, see below
        if hasattr(pattern, "url_patterns"):
            yield from walk(pattern, here)
        else:
            yield here


LINES = declared()
CONSOLE = [line for line in LINES if line.path in set(walk(get_resolver()))]


# The tables themselves


def test_every_route_of_the_console_says_who_it_is_for():
    assert set(walk(get_resolver())) - {line.path for line in LINES} == set(), "add a line to routes.txt"


def test_no_line_is_left_of_a_route_that_is_gone():
    there = {*walk(get_resolver()), *asgi.SOCKETS, *(path for _, path, _ in client_operations())}
    assert {line.path for line in LINES} - there == set()


def client_operations():
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                (policy,) = operation.auth_callbacks
                wanted = ANYBODY if isinstance(policy, Everybody) else "|".join(sorted(policy.wanted))
                wanted = "proxy:*" if wanted == EVERY_SCOPE else wanted
                yield from ((method, path, wanted) for method in operation.methods)


def test_every_route_of_clients_asks_for_the_scope_that_is_declared():
    found = {Line(*one) for one in client_operations()}
    assert found == {line for line in LINES if (line.method, line.path) in {one[:2] for one in found}}


def test_every_operation_of_the_control_api_names_a_right():
    for_all = {"/api/v1/openapi.json", "/api/v1/me", "/api/ui/me", "/auth/me", "/auth/logout"}  # whoever is somebody
    proving = {(method, "/admin/session") for method in ("GET", "POST", "DELETE")} | {
        ("GET", "/auth/login")
    }  # where somebody proves who they are
    bare = [(method, path) for method, path, policy in control.POLICIES if not policy.rights]
    assert {(method, path) for method, path in bare if path not in for_all} == proving


def test_every_socket_says_who_it_is_for():
    assert set(asgi.SOCKETS) == {line.path for line in LINES if line.method == "SOCKET"}


# Each route of the console, by each role


def make(model, tenant):
    """Store one row, of that tenant if it is a tenant's."""
    match model:
        case "apikey":
            return factories.make_key(tenant).row
        case "tenant" | "tenantsettings":
            return tenant
        case "membership":
            return factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant, password=None).memberships.get()
        case "requestlog":
            insert([call := record(tenant_id=tenant.pk)])
            return RequestLog.objects.get(pk=call.id)
        case "auditentry":
            factories.make_key(tenant)
            return AuditEntry.objects.filter(tenant_id=tenant.pk).first()
        case "operator":
            return factories.make_operator(role=None, password=None)
        case "credential":
            return factories.make_credential()
        case "providersetting":
            return ProviderSetting.objects.create(provider_id="house-llm", base_url="https://llm.example")
    return HOUSE[model]()


HOUSE = {
    "admissionentry": lambda: AdmissionEntry.objects.create(provider="github", entry="user:kim"),
    "alertrule": lambda: AlertRule.objects.create(name="usual"),
    "alert": lambda: Alert.objects.create(rule=AlertRule.objects.create(name="usual")),
    "profile": lambda: Profile.objects.create(name="usual"),
    "catalogmodel": lambda: CatalogModel.objects.create(provider_id="groq", model_id="llama", position=1),
    "factsetting": lambda: FactSetting.objects.create(model="llama", provider_id="groq"),
    "listener": lambda: Listener.objects.create(name="other", host="other.example"),
    "modelexclusion": lambda: ModelExclusion.objects.create(provider_id="groq", pattern="llama"),
    "modelpreference": lambda: ModelPreference.objects.create(name="llama", rank=1),
    "policyrule": lambda: PolicyRule.objects.create(name="first", pattern="llama", position=1),
}
TENANTS_OWN = {"apikey": "tenant", "tenant": "pk", "membership": "tenant", "requestlog": "tenant"}
TENANTS_OWN |= {"auditentry": "tenant", "tenantsettings": "pk"}


def filled(path, row_of):
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: FIXED.get(found[1]) or str(getattr(row_of(), "pk", "none")), path)


ROWS = ("<path:object_id>", "<id>", "<int:pk>")
FIXED = {
    "sign_in": "openai",
    "app_label": "accounts",
    "url": "no-such-page",
    "content_type_id": "1",
    "provider_id": "github",
    "form": "csv",
}


def expected(who, line, row_path, place):
    """Return the statuses that are right: `place` is the tenant of the row that is asked for, if it is a tenant's."""
    if line.policy == NOBODY:
        return {403, 404}
    if line.policy in {SIGNED_IN, ANYBODY}:
        return None
    if not any(who.may_open(right) for right in line.named):
        return REFUSED if "<" in line.path else {403}  # some pages look for the row first
    if place is None or any(who.may(right, place) for right in line.named):
        return None
    # Some rows are theirs, this is not: it is not there. What they may look at but not change is refused.
    looks = who.may(Right.KEYS_READ if row_path == "apikey" else LOOKS.get(row_path, line.named[0]), place)
    return {403} if looks else {404}


LOOKS = {"tenant": Right.TENANTS_READ, "membership": Right.MEMBERS_READ, "tenantsettings": Right.SETTINGS_READ}
LOOKS |= {"requestlog": Right.REQUESTS_READ}


@pytest.fixture(autouse=True)
def _nothing_leaves(monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)
    monkeypatch.setattr(looks, "look", lambda *_, **__: None)
    monkeypatch.setattr(quota_refresh, "refresh", lambda *_, **__: [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "line", [one for one in CONSOLE if one.policy not in {SIGN_IN, OWN}], ids=lambda line: f"{line.method} {line.path}"
)
def test_a_route_is_open_to_the_roles_that_the_table_names(client, line):
    own, other = factories.make_tenant(), factories.make_tenant()
    model = line.path.split("/")[3] if line.path.count("/") > 4 else ""
    has_row = bool(model) and model[0] != "<" and any(one in line.path for one in ROWS)
    rows = {place: None for place in (own, other)}
    if has_row:
        rows[own] = make(model, own)
        rows[other] = make(model, other) if model in TENANTS_OWN else None
    answers = {}
    for role in (None, *Role):
        operator = factories.make_operator(role=role, tenant=own if role in OF_A_TENANT else None, password=None)
        Operator.objects.filter(pk=operator.pk).update(password=HASHED)  # hashing one for each takes a minute
        operator.refresh_from_db()
        who = rights.of(operator)
        for place, asked in rows.items():
            if has_row and asked is None:
                continue
            client.force_login(operator)
            path = filled(line.path, lambda asked=asked: asked)
            answer = client.get(path) if line.method == "GET" else client.post(path)
            right = expected(who, line, model, place.pk if has_row and model in TENANTS_OWN else None)
            fine = answer.status_code in right if right is not None else is_open(answer, line)
            answers[role, "own" if place == own else "other"] = fine or (answer.status_code, right, path)
            if not has_row:
                break
    assert {name: said for name, said in answers.items() if said is not True} == {}


def is_open(answer, line):
    if line.path in NOT_THERE and line.policy == SIGNED_IN:
        return answer.status_code == 404
    away = answer.status_code == 302 and "/login/" in answer["Location"]
    return answer.status_code not in REFUSED and not (away and line.policy != ANYBODY)


# There is nothing behind these for anybody: no page has a public twin, and the last one catches what does not exist.
NOT_THERE = {"/console/<url>", "/console/r/<path:content_type_id>/<path:object_id>/"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "line", [one for one in CONSOLE if one.policy not in {SIGN_IN, ANYBODY}], ids=lambda one: one.path
)
def test_without_signing_in_every_route_leads_to_the_sign_in_page(client, line):
    path = filled(line.path, lambda: Tenant(pk="00000000-0000-4000-8000-00000000dead"))
    answer = client.get(path) if line.method == "GET" else client.post(path)
    assert answer.status_code == 302
    assert "/console/login/" in answer["Location"]


def test_the_rights_that_hold_for_some_rows_only_are_those_of_keys():
    assert set(INSTEAD) == {Right.KEYS_READ, Right.KEYS_WRITE}
