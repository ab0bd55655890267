"""The key pages: issue, show once, rotate, revoke, list."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection

from accounts import keys, scopes
from accounts.audit_entry import AuditEntry
from accounts.models import ApiKey, Tenant
from accounts.roles import OF_A_TENANT, Role
from proxx.kit import clock, sealing
from tests.console.conftest import NO_LIMITS
from tests.factories import make_operator

LIST = "/console/accounts/apikey/"
TOKEN = re.compile(r"pxx_[A-Za-z0-9_-]{43}")

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(tenant):
    return keys.issue(tenant, label="laptop")[0]


def page_of(key, action="change"):
    return f"{LIST}{key.pk}/{action}/"


def tokens_in(response) -> set[str]:
    return set(TOKEN.findall(response.content.decode()))


def issue(console, tenant, **fields):
    return console.post(f"{LIST}add/", {"tenant": tenant.pk, "label": "ci", "lifetime": "", "calls": "all", **fields})


def test_an_issued_key_is_shown_once_and_nowhere_else(console, tenant, operator):
    response = issue(console, tenant)
    assert response.status_code == 200
    (token,) = tokens_in(response)
    key = ApiKey.objects.get()
    assert (key.digest, key.label, key.created_by) == (sealing.digest(token), "ci", operator)
    assert "no-store" in response["Cache-Control"]
    for path in (LIST, page_of(key), page_of(key, "history"), page_of(key, "rotate"), page_of(key, "revoke")):
        page = console.get(path)
        assert page.status_code == 200, path
        assert token[:20] not in page.content.decode()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert token[4:17] not in repr(cursor.fetchall()), table
    assert all(token not in repr(session.get_decoded()) for session in Session.objects.all())


@pytest.mark.parametrize(("lifetime", "days"), [("", None), ("7", 7), ("365", 365)])
def test_a_lifetime_is_chosen_from_a_list(console, tenant, lifetime, days):
    with clock.stopped():
        issue(console, tenant, lifetime=lifetime)
        end = ApiKey.objects.get().expires_at
        assert end == (clock.now() + timedelta(days=days) if days else None)


def test_a_date_of_choice_must_lie_ahead(console, tenant):
    past = issue(console, tenant, lifetime="date", expires_at_0="2001-01-01", expires_at_1="12:00")
    assert b"passed already" in past.content
    missing = issue(console, tenant, lifetime="date")
    assert b"Choose a date" in missing.content
    assert not ApiKey.objects.exists()
    assert tokens_in(past) == tokens_in(missing) == set()
    issue(console, tenant, lifetime="date", expires_at_0="2999-01-01", expires_at_1="12:00")
    assert ApiKey.objects.get().expires_at.year == 2999


def test_only_the_label_of_an_issued_key_can_change(console, tenant, key):
    other = Tenant.objects.create(slug="acme", name="Acme")
    before = ApiKey.objects.get()
    fields = {
        "label": "new name",
        "tenant": other.pk,
        "digest": "0" * 64,
        "scopes": '["proxy:admin"]',
        "revoked_at": "",
        "calls": "all",
    }
    assert console.post(page_of(key), {**fields, **NO_LIMITS}).status_code == 302
    after = ApiKey.objects.get()
    assert after.label == "new name"
    assert (after.tenant_id, after.digest, after.scopes) == (before.tenant_id, before.digest, before.scopes)


def test_a_key_asks_for_what_was_chosen_for_it_and_nothing_else(console, tenant, key):
    issue(console, tenant, label="plain")
    issue(console, tenant, label="files", beside=["proxy:files", "usage:read"])
    issue(console, tenant, label="some", calls="some", families=["proxy:chat", "proxy:models"])
    issue(console, tenant, label="control", calls="none", beside=["control:read"], families=["proxy:chat"])
    scopes = dict(ApiKey.objects.values_list("label", "scopes"))
    assert scopes["plain"] == ["proxy:use"]
    assert scopes["files"] == ["proxy:use", "proxy:files", "usage:read"]
    assert scopes["some"] == ["proxy:chat", "proxy:models"]
    assert scopes["control"] == ["control:read"]


def test_the_scopes_of_a_key_can_change(console, key):
    fields = {"label": "laptop", "calls": "some", "families": ["proxy:chat"], **NO_LIMITS}
    console.post(page_of(key), fields)
    assert ApiKey.objects.get(pk=key.pk).scopes == ["proxy:chat"]
    form = console.get(page_of(key)).context["adminform"].form
    assert (form["calls"].value(), form["families"].value(), form["beside"].value()) == ("some", ["proxy:chat"], [])


@pytest.mark.parametrize("fields", [{"calls": "some"}, {"calls": "none"}, {"calls": "all", "beside": ["proxy:admin"]}])
def test_a_key_that_could_do_nothing_or_everything_is_not_issued(console, tenant, fields):
    issue(console, tenant, **fields)
    assert not ApiKey.objects.exists()


def test_the_addresses_of_a_key_must_be_readable(console, tenant):
    assert "neither an address nor a network" in issue(console, tenant, networks="10.0.0.0/8\nmy laptop").text
    issue(console, tenant, networks="10.0.0.0/8\n2001:db8::1")
    assert ApiKey.objects.get().networks.splitlines() == ["10.0.0.0/8", "2001:db8::1"]


def test_a_form_that_stood_open_does_not_undo_a_revocation(console, key, monkeypatch):
    from accounts.admin.keys import ApiKeyAdmin

    real = ApiKeyAdmin.get_object

    def get_object(self, *args):
        found = real(self, *args)
        keys.revoke(ApiKey.objects.get(pk=found.pk))  # another operator, after this form was read
        return found

    monkeypatch.setattr(ApiKeyAdmin, "get_object", get_object)
    console.post(page_of(key), {"label": "new name", "calls": "all", **NO_LIMITS})
    assert ApiKey.objects.get().revoked_at is not None
    assert ApiKey.objects.get().label == "new name"


def test_rotation_shows_the_successor_once_and_says_what_becomes_of_the_old_key(console, key):
    asked = console.get(page_of(key, "rotate"))
    assert asked.status_code == 200
    assert ApiKey.objects.count() == 1
    response = console.post(page_of(key, "rotate"), {"overlap": "86400"})
    (token,) = tokens_in(response)
    successor = ApiKey.objects.get(replaces=key)
    assert successor.digest == sealing.digest(token)
    assert b"works until" in response.content
    key.refresh_from_db()
    assert key.state(clock.now()) == "active"
    assert key.state(clock.now() + timedelta(days=2)) == "expired"


def test_an_overlap_of_ones_own_making_is_refused(console, key):
    response = console.post(page_of(key, "rotate"), {"overlap": "999999999"})
    assert response.status_code == 200
    assert tokens_in(response) == set()
    assert ApiKey.objects.count() == 1


def test_a_revoked_key_offers_neither_rotation_nor_revocation(console, key):
    assert "rotate/" in console.get(page_of(key)).content.decode()
    keys.revoke(key)
    assert "rotate/" not in console.get(page_of(key)).content.decode()
    response = console.post(page_of(key, "rotate"), {"overlap": "0"})
    assert response.status_code == 302
    assert ApiKey.objects.count() == 1


def test_revocation_asks_first_and_leaves_a_trace(console, key):
    assert b"cannot be undone" in console.get(page_of(key, "revoke")).content
    assert ApiKey.objects.get().revoked_at is None
    assert console.post(page_of(key, "revoke")).status_code == 302
    assert ApiKey.objects.get().revoked_at is not None
    trace = AuditEntry.objects.filter(kind="accounts.apikey", action="changed").get()
    assert "revoked_at" in trace.changes
    assert trace.actor_kind == "operator"


def test_several_keys_are_revoked_at_once_after_a_question(console, tenant):
    chosen = [keys.issue(tenant, label=f"key {number}")[0] for number in range(3)]
    keys.revoke(chosen[0])
    fields = {"action": "revoke_selected", "_selected_action": [str(key.pk) for key in chosen]}
    asked = console.post(LIST, fields)
    assert b"Revoke 2 keys?" in asked.content
    assert ApiKey.objects.filter(revoked_at=None).count() == 2
    assert console.post(LIST, {**fields, "confirmed": "yes"}).status_code == 302
    assert not ApiKey.objects.filter(revoked_at=None).exists()


def test_keys_are_never_deleted(console, key):
    assert console.post(page_of(key, "delete"), {"post": "yes"}).status_code == 403
    console.post(LIST, {"action": "delete_selected", "_selected_action": [str(key.pk)], "post": "yes"})
    assert ApiKey.objects.count() == 1


def test_the_list_is_filtered_by_state_and_searched(console, tenant):
    with clock.stopped() as time:
        keys.issue(tenant, label="ended", expires_at=clock.now() + timedelta(hours=1))
        keys.revoke(keys.issue(tenant, label="stopped")[0])
        keys.issue(tenant, label="running")
        time.advance(7200)
        for state, label in (("active", "running"), ("expired", "ended"), ("revoked", "stopped")):
            rows = console.get(LIST, {"state": state}).context["cl"].queryset
            assert [key.label for key in rows] == [label]
            assert {key.state(clock.now()) for key in rows} == {state}
    found = console.get(LIST, {"q": "runn"}).context["cl"].queryset
    assert [key.label for key in found] == ["running"]


def test_the_list_takes_the_same_queries_however_long_it_is(console, tenant, django_assert_num_queries):
    keys.issue(tenant, label="one")
    console.get(LIST)
    with CountedQueries() as few:
        console.get(LIST)
    for number in range(20):
        keys.issue(Tenant.objects.create(slug=f"t{number}", name=f"T {number}"), label=f"key {number}")
    with CountedQueries() as many:
        assert console.get(LIST).status_code == 200
    assert few.count == many.count <= 8


class CountedQueries:
    """How many statements a block sends."""

    def __enter__(self):
        from django.test.utils import CaptureQueriesContext

        self._capture = CaptureQueriesContext(connection)
        self._capture.__enter__()
        return self

    def __exit__(self, *fault):
        self._capture.__exit__(*fault)
        self.count = len(self._capture)


@pytest.mark.parametrize("action", ["rotate", "revoke", "change"])
def test_an_unknown_key_is_not_found(console, action):
    path = f"{LIST}00000000-0000-4000-8000-00000000dead/{action}/"
    assert console.get(path).status_code == 404


def test_nobody_without_the_right_sees_or_changes_keys(client, key, django_user_model):
    client.force_login(django_user_model.objects.create_user("guest", is_staff=True))
    for path in (LIST, page_of(key), page_of(key, "rotate"), page_of(key, "revoke"), f"{LIST}add/"):
        assert client.get(path).status_code == 403, path
    assert client.post(page_of(key, "revoke")).status_code == 403
    assert client.post(page_of(key, "rotate"), {"overlap": "0"}).status_code == 403
    assert ApiKey.objects.get().revoked_at is None


def test_a_label_is_text_not_markup(console, tenant):
    issue(console, tenant, label="<script>alert(1)</script>")
    key = ApiKey.objects.get()
    for path in (LIST, page_of(key), page_of(key, "rotate"), page_of(key, "revoke"), page_of(key, "history")):
        assert b"<script>alert(1)" not in console.get(path).content


@pytest.mark.parametrize(
    ("role", "lacks"),
    [
        (Role.TENANT_MEMBER, {"proxy:files", "control:read", "control:write"}),
        (Role.TENANT_ADMIN, {"proxy:files"}),
        (Role.OPERATOR, set()),
    ],
)
def test_nobody_gives_a_key_what_they_lack(client, tenant, role, lacks):
    """Security A6: not to a new key, not to an old one, and not by taking the token of a key that has it."""
    somebody = make_operator(role=role, tenant=tenant if role in OF_A_TENANT else None)
    client.force_login(somebody)
    for scope in ("proxy:files", "control:read", "control:write", "usage:read"):
        issue(client, tenant, label=scope, beside=[scope])
        assert ApiKey.objects.filter(label=scope).exists() == (scope not in lacks)
    plain = keys.issue(tenant, label="plain", created_by=somebody)[0]
    client.post(page_of(plain), {"label": "plain", "calls": "all", "beside": ["proxy:files"], **NO_LIMITS})
    plain.refresh_from_db()
    assert (scopes.FILES in plain.scopes) == ("proxy:files" not in lacks)
    trusted = keys.issue(tenant, label="trusted", scopes=[scopes.USE, scopes.FILES], created_by=somebody)[0]
    client.post(page_of(trusted, "rotate"), {"overlap": "0"})
    assert ApiKey.objects.filter(replaces=trusted).exists() == ("proxy:files" not in lacks)


@pytest.mark.parametrize("action", ["change", "history", "rotate", "revoke"])
def test_an_address_without_an_id_is_no_page(console, action):
    assert console.get(f"{LIST}1/{action}/").status_code == 404
