"""The paths of old below /auth: GitHub's list, oneself, the way in and out."""

import pytest

from accounts.models import AdmissionEntry, AuditEntry

LIST = "/auth/admin/allowlist"


@pytest.fixture(autouse=True)
def _github(settings):
    settings.PROXY_SIGN_IN_WAYS = {"github": "GitHub"}


def test_somebody_is_let_in_once_and_taken_off_again(admin):
    first, again = (admin.post(LIST, {"login": "Kim"}).json() for _ in range(2))
    assert first == again
    assert (first["entry"]["login"], first["entry"]["role"]) == ("Kim", None)
    assert [one["login"] for one in admin.get(LIST).json()["allowlist"]] == ["Kim"]
    assert admin.delete(f"{LIST}?login=kim").json() == {"ok": True}
    assert admin.delete(f"{LIST}?login=kim").status_code == 404
    assert not AdmissionEntry.objects.exists()
    assert AuditEntry.objects.filter(kind="accounts.admissionentry").count() == 2


def test_who_is_listed_with_a_role_is_found_by_name_alone(admin):
    for entry in ("user:Kim=auditor", "user:kim-lee", "org:kim=auditor"):
        AdmissionEntry.objects.create(provider="github", entry=entry)
    assert admin.post(LIST, {"login": "kim"}).json()["entry"]["role"] == "auditor"
    assert admin.delete(f"{LIST}?login=kim").json() == {"ok": True}
    assert set(AdmissionEntry.objects.values_list("entry", flat=True)) == {"user:kim-lee", "org:kim=auditor"}
    assert admin.delete(f"{LIST}?login=kim").status_code == 404


def test_without_github_nobody_is_put_on_its_list(admin, settings):
    settings.PROXY_SIGN_IN_WAYS = {}
    assert admin.post(LIST, {"login": "kim"}).status_code == 422


@pytest.mark.parametrize("login", ["", "kim=owner", "a:b", "x" * 101])
def test_what_is_no_name_is_refused(admin, login):
    assert admin.post(LIST, {"login": login}).status_code == 422


def test_the_way_in_leads_to_github_where_it_is_set_up(client, db, settings):
    assert client.get("/auth/login")["Location"] == "/console/login/with/github/"
    settings.PROXY_SIGN_IN_WAYS = {}
    assert client.get("/auth/login")["Location"] == "/console/login/"


def test_signing_out_ends_the_consoles_session(as_operator, admin):
    operator = as_operator()
    assert operator.get("/auth/me").json()["auth"]["kind"] == "ui_session"
    assert operator.post("/auth/logout").json() == {"ok": True}
    assert operator.get("/auth/me").status_code == 401
    assert admin.post("/auth/logout").status_code == 400
