"""Every operation of the control API, asked by every kind of caller: operations.txt says whom it is for.

The operations are read from the running table, so a new one that the file does not name fails here. Who is not named
is refused; who is named is answered, and another tenant's rows are as absent for them as rows that never were.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.test import Client

from accounts import keys
from accounts.models import Operator, Tenant
from accounts.rights import Role
from accounts.roles import OF_A_TENANT
from accounts.signin import step_up
from oauth.flows import device
from oauth.pending import Held
from proxx.api.control import app
from proxx.gateway import probe
from proxx.kit import sealing
from routing import quota_credits, quota_refresh, reload
from routing.catalog import refresh
from tests import factories
from tests.api.control import rows
from tests.api.control.conftest import TOKEN, Caller

TABLE = Path(__file__).with_name("operations.txt")
HASHED = make_password("irrelevant here, and long")
KEYS = {
    "key:read": ["control:read"],
    "key:write": ["control:read", "control:write", "proxy:use"],
    "key:plain": ["proxy:use"],
}
PEOPLE = [role.value for role in Role]
BOUND = {*(role.value for role in OF_A_TENANT), *KEYS}  # callers of one tenant
CALLERS = ["token", *PEOPLE, "no-role", *KEYS, "nobody"]
# Answers that are no refusal of the caller: who has no session has no tenant to choose in it, who had keys stays.
FINE = {("POST", f"{base}/tenants/{{tenant_id}}/select"): {400} for base in ("/api/ui", "/api/v1")}
FINE["POST", "/auth/admin/allowlist"] = {422}  # GitHub is not set up here
FINE["POST", "/auth/logout"] = {400}
# Of sign-ins that are not there, or with nothing to finish them.
for _base in ("/api/ui", "/api/v1"):
    FINE |= {("POST", f"{_base}/credentials/{name}/oauth/device/poll"): {404} for name in ("openai", "factory")}
FINE |= {("POST", "/admin/oauth/complete"): {404}, ("POST", "/admin/oauth/device/poll"): {404}}
FINE["POST", "/api/v1/sign-ins/{uuidstr:pk}/complete"] = {400}
FINE["DELETE", "/auth/admin/allowlist"] = {404, 422}
FINE["DELETE", "/api/v1/tenants/{uuidstr:pk}"] = {409}


class Line(NamedTuple):
    """One operation as the file declares it."""

    method: str
    path: str
    callers: frozenset[str]


def declared() -> list[Line]:
    lines = (line.split() for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("#"))
    return [Line(method, path, meant(words)) for method, path, *words in lines]


def meant(words: list[str]) -> frozenset[str]:
    """Return the callers that a line names; `everybody` is nobody, too."""
    short = {"everybody": CALLERS, "somebody": CALLERS[:-1]}
    return frozenset(one for word in words for one in short.get(word, [word]))


LINES = declared()


def test_every_operation_says_whom_it_is_for_and_no_other_does():
    running = [(method, path) for method, path, _ in app.POLICIES]
    assert sorted(running) == sorted(line[:2] for line in LINES), "operations.txt and the API differ"
    assert frozenset().union(*(line.callers for line in LINES)) <= set(CALLERS)


def test_every_id_in_an_address_has_rows_to_try_it_with():
    assert {place for line in LINES for place in rows.places(line.path)} <= {*rows.OF_TENANTS, *rows.OF_THE_HOUSE}


class House(NamedTuple):
    """Two tenants, and callers of the first or of the whole house."""

    own: Tenant
    other: Tenant
    callers: dict[str, Caller]
    operators: dict[str, Operator]


@pytest.fixture(scope="module")
def house(django_db_setup: Any, django_db_blocker: Any) -> Any:
    """Make them once for all tests, in a transaction that is undone; the keys are remembered, as keys in use are."""
    with django_db_blocker.unblock(), transaction.atomic():
        own, other = factories.make_tenant(), factories.make_tenant()
        operators = {name: operator(name, own) for name in [*PEOPLE, "no-role"]}
        callers = {"token": Caller(authorization=f"Bearer {TOKEN}"), "nobody": Caller()}
        for name, one in operators.items():
            callers[name] = Caller(client := Client())
            client.force_login(one)
        for name, scopes in KEYS.items():
            token = factories.make_key(own, scopes=scopes).token
            keys._memory._read_and_remember(sealing.digest(token))  # the look-up's own thread sees no open transaction
            callers[name] = Caller(authorization=f"Bearer {token}")
        yield House(own, other, callers, operators)
        transaction.set_rollback(True)
    keys.forget()


def operator(name: str, own: Tenant) -> Operator:
    role = Role(name) if name in PEOPLE else None
    made = factories.make_operator(role=role, tenant=own if role in OF_A_TENANT else None, password=None)
    Operator.objects.filter(pk=made.pk).update(password=HASHED)  # hashing one for each takes seconds
    made.refresh_from_db()
    return made


@pytest.fixture(autouse=True)
def token(settings: Any, house: House) -> str:
    """Set the token, and leave the keys remembered."""
    settings.PROXY_AUTH_TOKEN = TOKEN
    return TOKEN


@pytest.fixture(autouse=True)
def _nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)
    monkeypatch.setattr(quota_refresh, "refresh", lambda *_, **__: ["asked"])
    monkeypatch.setattr(refresh, "refresh", lambda *_, **__: [])
    monkeypatch.setattr(probe, "probe", lambda *_, **__: probe.Probed("gpt-x", "hello", True))
    monkeypatch.setattr(quota_credits, "available", lambda *_: 1)
    monkeypatch.setattr(quota_credits, "use", lambda *_: [])
    monkeypatch.setattr(device, "_start", no_code)
    reload.install(None)
    yield
    reload.install(None)


async def no_code(_: Any) -> device.Started:
    """Return a code without asking anybody."""
    return device.Started(Held(device_code="d", user_code="u", away="https://issuer.example"), 5, None)


def asked(house: House, name: str, line: Line, path: str, tenant: Tenant) -> Any:
    """Ask, and undo what it did."""
    with transaction.atomic():
        where = path or rows.filled(line.path, tenant, house.operators.get(name))
        caller = house.callers[name]
        cookies = deepcopy(caller.client.cookies)  # some open a session, some end one
        answer = caller.ask(line.method, where, rows.body(line.method, line.path, tenant))
        caller.client.cookies = cookies
        transaction.set_rollback(True)
    return answer


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"] if answer.status_code >= 400 else ""


@pytest.mark.django_db
@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.method} {line.path}")
def test_an_operation_is_open_to_the_callers_that_it_is_for(house: House, line: Line):
    wrong = {}
    for name in CALLERS:
        answer = asked(house, name, line, "", house.own)
        if name in line.callers:
            is_right = answer.status_code < 400 or answer.status_code in FINE.get(line[:2], ())
        else:
            refusal = (401, "invalid_api_key") if name == "nobody" else (403, "missing_right")
            is_right = code(answer) == refusal
        if not is_right:
            wrong[name] = (answer.status_code, answer.content)
    assert wrong == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "line", [line for line in LINES if rows.places(line.path)], ids=lambda line: f"{line.method} {line.path}"
)
def test_what_is_another_tenants_is_as_absent_as_what_never_was(house: House, line: Line):
    is_a_tenants = any(place in rows.OF_TENANTS for place in rows.places(line.path))
    wrong = {}
    for name in CALLERS:
        if name not in line.callers:
            continue
        if is_a_tenants and name in BOUND:
            absent = asked(house, name, line, rows.nowhere(line.path), house.own)
            foreign = asked(house, name, line, "", house.other)
            is_right = code(foreign) == (404, "not_found") and foreign.content == absent.content
        elif is_a_tenants:
            foreign = asked(house, name, line, "", house.other)
            is_right = foreign.status_code < 400 or foreign.status_code in FINE.get(line[:2], ())
        else:
            foreign = asked(house, name, line, rows.nowhere(line.path), house.own)
            is_right = code(foreign) == (404, "not_found")
        if not is_right:
            wrong[name] = (foreign.status_code, foreign.content)
    assert wrong == {}


# What is named in a body or a question, not in the address.


NAMED = [("POST", "/api/v1/keys"), ("POST", "/api/v1/members"), ("POST", "/api/v1/limits")]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), NAMED)
def test_another_tenant_that_a_body_names_is_not_there(house: House, method: str, path: str):
    (line,) = (line for line in LINES if line[:2] == (method, path))
    answers = {name: code(asked(house, name, line, "", house.other)) for name in BOUND & line.callers}
    assert answers == dict.fromkeys(answers, (404, "not_found"))
    assert answers


@pytest.mark.django_db
def test_a_list_asked_for_another_tenants_rows_has_none(house: House):
    theirs = factories.make_key(house.other).row
    rows.request(house.other, None)
    for place in ("keys", "requests", "members", "limits"):
        for name in BOUND - {"key:plain"}:
            answer = house.callers[name].get(f"/api/v1/{place}?tenant_id={house.other.pk}")
            found = answer.json()
            assert answer.status_code == 403 or (found.get("data", ()) if isinstance(found, dict) else found) in (
                [],
                (),
            )
    for name in BOUND - {"key:plain"}:
        assert house.callers[name].get(f"/api/v1/usage?tenant_id={house.other.pk}").status_code == 404
        assert str(theirs.pk) not in house.callers[name].get("/api/v1/keys?limit=200").content.decode()


@pytest.mark.django_db
def test_a_member_has_the_keys_that_they_issued_and_no_other_of_their_tenant(house: House):
    theirs = factories.make_key(house.own).row
    member = house.callers["tenant_member"]
    place = f"/api/v1/keys/{theirs.pk}"
    asked_for = [
        member.get(place),
        member.patch(place, {}),
        member.post(f"{place}/revoke"),
        member.post(f"{place}/rotate", {}),
    ]
    assert [code(answer) for answer in asked_for] == [(404, "not_found")] * 4
