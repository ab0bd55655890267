"""Files of calls: the same selection as the list, in three forms, and nothing that is not one's own."""

import csv
import io
import json
import zipfile

import pytest
from django.test import AsyncClient
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.rights import Role
from accounts.sanitized import masked
from accounts.signin import step_up
from analytics import call_files, tags
from analytics.models import RequestLog
from analytics.rows import insert
from proxx.kit import clock
from tests import factories
from tests.analytics.records import attempt, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked_lately(monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)


@pytest.fixture
def console(client, asked_lately):
    client.force_login(factories.make_operator(password=None))
    return client


def taken(client, form, query=""):
    answer = client.get(f"{reverse('admin:analytics_requestlog_export', args=[form])}?{query}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def lines(body):
    return [json.loads(line) for line in body.decode().splitlines()]


def test_json_lines_hold_what_fits_oldest_first_with_its_attempts_and_words(console):
    now = clock.unix()
    calls = [record(at=now - back, model_routed="llama", attempts=[attempt(), attempt(number=2)]) for back in (3, 2)]
    insert([*calls, record(at=now)])
    tags.add(RequestLog.objects.get(pk=calls[0].id), "look here")
    found = lines(taken(console, "jsonl", "model=llama"))
    assert [one["id"] for one in found] == [str(one.id) for one in calls]
    assert [one["number"] for one in found[0]["attempts"]] == [1, 2]
    assert found[0]["tags"] == ["look here"]
    assert {"success", "retried"} <= set(found[0]["labels"])
    assert (found[0]["lifecycle"], found[0]["input_tokens"], found[0]["cost_nano"]) == ("completed", 120, None)


def test_no_cell_of_a_spreadsheet_is_a_formula(console):
    insert([record(user_agent="=cmd|' /C calc'!A0", request_id="@sum", model_requested="+1", warnings=["\uff1d2"])])
    rows = list(csv.DictReader(io.StringIO(taken(console, "csv").decode())))
    assert [rows[0][name] for name in ("user_agent", "request_id", "model_requested", "warnings")] == [
        "'=cmd|' /C calc'!A0",
        "'@sum",
        "'+1",
        "'\uff1d2",
    ]
    assert rows[0]["attempts"] == "1"


def test_a_zip_says_what_was_asked_for_and_how_many_there_were(console):
    insert([record(stream=True), record(stream=True), record()])
    with zipfile.ZipFile(io.BytesIO(taken(console, "zip", "stream=1&provider=openai"))) as file:
        assert file.testzip() is None
        about = json.loads(file.read("metadata.json"))
        assert len(lines(file.read("traces.jsonl"))) == about["count"] == 2
    assert about["filters"] == {"stream": True, "provider": "openai"}
    assert about["exportedAt"].startswith("20")


def test_many_parts_make_one_file(console, monkeypatch):
    monkeypatch.setattr(call_files, "PIECE", 300)
    insert(calls := [record() for _ in range(9)])
    for form in ("jsonl", "zip"):
        body = taken(console, form)
        if form == "zip":
            body = zipfile.ZipFile(io.BytesIO(body)).read("traces.jsonl")
        assert {one["id"] for one in lines(body)} == {str(one.id) for one in calls}


def test_a_member_takes_out_the_calls_of_their_own_tenant_only(client, asked_lately):
    own, other = factories.make_tenant(), factories.make_tenant()
    insert([mine := record(tenant_id=own.pk), record(tenant_id=other.pk)])
    client.force_login(factories.make_operator(role=Role.TENANT_MEMBER, tenant=own, password=None))
    assert [one["id"] for one in lines(taken(client, "jsonl"))] == [str(mine.id)]
    assert taken(client, "jsonl", f"tenant={other.pk}") == b""


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_members_file_says_accounts_by_stars_that_keep_them_apart(client, asked_lately, tenant, form):
    one, two = (factories.make_credential(label=label, account_id=label) for label in ("plan of kim", "plan of max"))
    for account in (one, two):
        insert([record(tenant_id=tenant.pk, credential_id=account.pk, attempts=[attempt(account=account.label)])])
    client.force_login(factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant, password=None))
    file = taken(client, form).decode()
    assert "plan of" not in file
    assert tenant.name in file
    assert masked("plan of kim") in file
    assert masked("plan of max") in file


def test_an_export_asks_again_who_is_there_and_is_in_the_audit(client, monkeypatch):
    client.force_login(factories.make_operator(password=None))
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: False)
    answer = client.get(f"{reverse('admin:analytics_requestlog_export', args=['csv'])}?stream=1")
    assert answer.status_code == 302
    assert "stream%3D1" in answer["Location"]
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)
    taken(client, "csv", "stream=1")
    entry = AuditEntry.objects.filter(action="exported").get()
    assert json.loads(entry.changes) == {"form": [None, "csv"], "filters": [None, "stream=1"]}


def test_sanitized_files_name_nobody(console, tenant, key, credential):
    call = record(
        tenant_id=tenant.id,
        key_id=key.row.id,
        credential_id=credential.id,
        client_address="192.0.2.7",
        request_id="session-of-kim",
        attempts=[attempt(account="kim@example.com", message="kim@example.com is over quota")],
    )
    insert([call])
    plain, hidden = (taken(console, "jsonl", query).decode() for query in ("", "sanitized=1"))
    for word in (tenant.name, key.row.label, "192.0.2.7", "session-of-kim", "kim@example.com", str(tenant.id)):
        assert word in plain
        assert word not in hidden
    assert str(call.id) in hidden


def test_sanitized_metadata_names_nobody_who_was_asked_for(console, tenant):
    body = taken(console, "zip", f"sanitized=1&tenant={tenant.id}&request_id=session-of-kim&stream=1")
    about = zipfile.ZipFile(io.BytesIO(body)).read("metadata.json").decode()
    assert str(tenant.id) not in about
    assert "session-of-kim" not in about
    assert json.loads(about)["filters"]["stream"] is True


def test_a_file_of_what_somebody_tagged_holds_nothing_that_lies_between(console):
    now = clock.unix()
    insert(made := [record(at=now - back) for back in (5, 4, 3, 2)])
    for one in (made[0], made[3]):
        tags.add(RequestLog.objects.get(pk=one.id), "look here")
    found = lines(taken(console, "jsonl", "tag=look+here"))
    assert [one["id"] for one in found] == [str(made[0].id), str(made[3].id)]


def test_an_unknown_form_is_not_there(console):
    assert console.get(reverse("admin:analytics_requestlog_export", args=["xls"])).status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_under_the_server_a_file_is_written_while_it_is_sent(asked_lately):
    from channels.db import database_sync_to_async

    client = AsyncClient()
    await database_sync_to_async(insert)([record() for _ in range(3)])
    operator = await database_sync_to_async(factories.make_operator)(password=None)
    await client.aforce_login(operator)
    answer = await client.get(reverse("admin:analytics_requestlog_export", args=["jsonl"]))
    assert answer.is_async
    assert len(lines(b"".join([piece async for piece in answer.streaming_content]))) == 3
