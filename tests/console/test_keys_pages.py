"""The key pages: issue, show once, rotate, revoke, list."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection

from accounts import keys
from accounts.models import ApiKey, Tenant
from proxx.kit import clock, sealing
from tests.console.conftest import NO_LIMITS

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
    return console.post(f"{LIST}add/", {"tenant": tenant.pk, "label": "ci", "lifetime": "", **fields})


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
    }
    assert console.post(page_of(key), {**fields, **NO_LIMITS}).status_code == 302
    after = ApiKey.objects.get()
    assert after.label == "new name"
    assert (after.tenant_id, after.digest, after.scopes) == (before.tenant_id, before.digest, before.scopes)


def test_a_key_reaches_files_only_if_that_is_chosen_for_it(console, tenant, key):
    issue(console, tenant, label="plain")
    issue(console, tenant, label="files", reaches_files="on")
    scopes = dict(ApiKey.objects.values_list("label", "scopes"))
    assert (scopes["plain"], scopes["files"]) == (["proxy:use"], ["proxy:use", "proxy:files"])
    console.post(page_of(key), {"label": "laptop", "reaches_files": "on", **NO_LIMITS})
    assert ApiKey.objects.get(pk=key.pk).scopes == ["proxy:use", "proxy:files"]
    assert "checked" in re.search(r'<input[^>]*name="reaches_files"[^>]*>', console.get(page_of(key)).text)[0]
    console.post(page_of(key), {"label": "laptop", **NO_LIMITS})
    assert ApiKey.objects.get(pk=key.pk).scopes == ["proxy:use"]


def test_a_form_that_stood_open_does_not_undo_a_revocation(console, key, monkeypatch):
    from accounts.admin.keys import ApiKeyAdmin

    real = ApiKeyAdmin.get_object

    def get_object(self, *args):
        found = real(self, *args)
        keys.revoke(ApiKey.objects.get(pk=found.pk))  # another operator, after this form was read
        return found

    monkeypatch.setattr(ApiKeyAdmin, "get_object", get_object)
    console.post(page_of(key), {"label": "new name", **NO_LIMITS})
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
    assert LogEntry.objects.get().change_message == "Revoked."


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
    assert console.get(path, follow=action == "change").status_code == (200 if action == "change" else 404)


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
