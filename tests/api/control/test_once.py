"""A change that is asked for twice with one `Idempotency-Key` is made once."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from accounts import answered
from accounts.answered import Answered
from accounts.models import ApiKey, AuditEntry, Tenant
from proxx.kit import clock as clocks
from routing.catalog import refresh

TENANTS, KEYS = "/api/v1/tenants", "/api/v1/keys"
LAB = {"slug": "lab", "name": "Lab"}


def test_the_second_request_gets_the_first_answer_and_changes_nothing(admin):
    first = admin.post(TENANTS, LAB, idempotency_key="one")
    again = admin.post(TENANTS, LAB, idempotency_key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (again["idempotent-replayed"], again["etag"]) == ("true", first["etag"])
    assert "idempotent-replayed" not in first
    assert Tenant.objects.filter(slug="lab").count() == 1


def test_another_request_with_that_key_is_refused(admin):
    admin.post(TENANTS, LAB, idempotency_key="one")
    other = admin.post(TENANTS, {**LAB, "slug": "other"}, idempotency_key="one")
    elsewhere = admin.post(KEYS, LAB, idempotency_key="one")
    assert [one.json()["error"]["code"] for one in (other, elsewhere)] == ["idempotency_key_reused", "invalid_fields"]
    assert other.status_code == 422
    assert not Tenant.objects.filter(slug="other").exists()


def test_no_repeated_answer_shows_a_key_again(admin, tenant):
    wanted = {"tenant_id": str(tenant.pk), "label": "ci"}
    first, again = (admin.post(KEYS, wanted, idempotency_key="one").json() for _ in range(2))
    assert again == {**first, "token": None}
    assert ApiKey.objects.count() == 1
    assert first["token"] not in str(list(Answered.objects.values()))


def test_what_was_refused_may_be_asked_again(admin):
    wanted = {"tenant_id": str(Tenant.objects.get().pk), "kind": "tokens_day", "amount": 5, "model": "o3"}
    admin.post("/api/v1/limits", wanted)
    assert admin.post("/api/v1/limits", wanted, idempotency_key="one").status_code == 422
    limit = admin.get("/api/v1/limits").json()["data"][0]
    admin.delete(f"/api/v1/limits/{limit['id']}")
    assert admin.post("/api/v1/limits", wanted, idempotency_key="one").status_code == 201


def test_one_key_of_two_callers_is_two(admin, as_operator):
    assert admin.post(TENANTS, LAB, idempotency_key="one").status_code == 201
    assert as_operator().post(TENANTS, LAB, idempotency_key="one").status_code == 422  # it is there already


def test_who_is_nobody_leaves_nothing_behind(client, db):
    assert client.delete("/admin/session", headers={"idempotency-key": "one"}).status_code == 200
    assert not Answered.objects.exists()


def test_a_request_while_the_first_still_runs_is_told_to_wait(admin, monkeypatch):
    monkeypatch.setattr(answered, "finish", lambda *_: None)
    admin.post(TENANTS, LAB, idempotency_key="one")
    answer = admin.post(TENANTS, LAB, idempotency_key="one")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert answer["retry-after"] == "1"


class Killed(BaseException):
    """A process ends here."""


@pytest.mark.parametrize("fault", [Killed, OperationalError])
def test_a_change_whose_answer_could_not_be_kept_was_not_made_and_can_be_asked_for_again(
    admin, monkeypatch, clock: clocks.Stopped, fault
):
    def broken(*_):
        raise fault

    with monkeypatch.context() as patched:
        patched.setattr(answered, "finish", broken)
        with suppress(Killed):
            assert admin.post(TENANTS, LAB, idempotency_key="one").status_code == 500
    assert not Tenant.objects.filter(slug="lab").exists()
    assert not AuditEntry.objects.filter(object_name="Lab").exists()
    clock.advance(301 if fault is Killed else 0)
    again = admin.post(TENANTS, LAB, idempotency_key="one")
    assert (again.status_code, "idempotent-replayed" in again) == (201, False)
    assert Tenant.objects.filter(slug="lab").count() == 1


def test_no_transaction_is_held_while_a_provider_is_asked(admin, monkeypatch):
    depths = []
    monkeypatch.setattr(refresh, "refresh", lambda _: depths.append(len(connection.savepoint_ids)) or [])
    before = len(connection.savepoint_ids)
    assert admin.post("/api/v1/catalog/refresh", {}, idempotency_key="one").status_code == 200
    assert depths == [before]
    assert admin.post("/api/v1/catalog/refresh", {}, idempotency_key="one")["idempotent-replayed"] == "true"
    assert depths == [before]


def test_what_a_refused_request_wrote_down_stays(admin):
    admin.post(TENANTS, LAB)
    entries = AuditEntry.objects.count()
    assert admin.post(TENANTS, LAB, idempotency_key="one").status_code == 422
    assert AuditEntry.objects.count() == entries
    assert not Answered.objects.exists()


@pytest.mark.parametrize("key", ["x" * 256, "a\x7f"])
def test_a_key_that_cannot_be_one_is_refused(admin, key):
    assert admin.post(TENANTS, LAB, idempotency_key=key).status_code == 400


@pytest.mark.django_db
def test_a_day_later_a_name_is_free_and_room_is_bounded(clock: clocks.Stopped, monkeypatch):
    monkeypatch.setattr(answered, "MOST", 20)
    assert answered.begin("a", "asked") is None
    answered.finish("a", answered.Answer(200, "{}"))
    assert answered.begin("a", "asked") == answered.Answer(200, "{}")
    clock.advance(timedelta(hours=25).total_seconds())
    assert answered.begin("a", "otherwise") is None
    for number in range(40):
        answered.begin(str(number), "asked")
    assert Answered.objects.count() <= 21


@pytest.mark.django_db
def test_what_a_dead_process_began_is_begun_again(clock: clocks.Stopped):
    assert answered.begin("a", "asked") is None
    with pytest.raises(answered.Unfinished):
        answered.begin("a", "asked")
    clock.advance(301)
    assert answered.begin("a", "asked") is None
