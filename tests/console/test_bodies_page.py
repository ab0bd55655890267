"""The page of what was said in one call: who reads it, and that each reading is written down."""

import pytest

from accounts import rights
from accounts.keeping import ALL
from accounts.models import AuditEntry
from accounts.rights import Role
from accounts.signin import step_up
from analytics.bodies import page, parts, store
from analytics.bodies.parts import ASKED, HEARD, TOLD, Bodies, Part
from analytics.bodies.table import RequestBody
from analytics.rows import insert
from tests import factories
from tests.analytics.records import record

pytestmark = pytest.mark.django_db

SAID = b'{"messages":[{"role":"user","content":"<b>what is up?</b>"}]}'


@pytest.fixture(autouse=True)
def _room(monkeypatch):
    monkeypatch.setattr(parts, "room", parts.Room())


def kept_call(tenant, *said):
    call = record(tenant_id=tenant.pk)
    insert([call])
    bodies = Bodies(call.id, tenant.pk, ALL)
    for kind, attempt, body in said or ((ASKED, 0, SAID), (HEARD, 1, b"data: fine\n\n"), (TOLD, 0, SAID)):
        bodies.part(kind, attempt, body)
    store.insert([bodies])
    return f"/console/analytics/requestlog/{call.id}/"


def reader(client, tenant, *, reads=True):
    operator = factories.make_operator(role=None, password=None)
    rights.grant(operator, Role.TENANT_ADMIN, tenant, by=None, reads_bodies=reads)
    operator.refresh_from_db()
    client.force_login(operator)
    return operator


def readings():
    return list(AuditEntry.objects.filter(action=page.READ).values_list("actor_name", "tenant_id"))


def test_who_has_the_right_reads_every_part_and_each_reading_is_written_down(client, monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)
    tenant = factories.make_tenant()
    place = kept_call(tenant)
    operator = reader(client, tenant)
    assert f"{place}bodies/" in client.get(f"{place}change/").text
    answer = client.get(f"{place}bodies/")
    assert "&quot;content&quot;: &quot;&lt;b&gt;what is up?" in answer.text
    assert "What the provider answered (attempt 1)" in answer.text
    assert "The same as: What the client sent." in answer.text
    assert "no-store" in answer["cache-control"]
    assert readings() == [(operator.username, tenant.pk)]


def test_reading_asks_again_who_is_there_before_anything_is_shown(client, monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: False)
    tenant = factories.make_tenant()
    place = kept_call(tenant)
    reader(client, tenant)
    answer = client.get(f"{place}bodies/")
    assert answer.status_code == 302
    assert "/confirm/" in answer["Location"]
    assert readings() == []


def test_without_the_right_one_sees_that_something_is_kept_and_no_word_of_it(client):
    tenant = factories.make_tenant()
    place = kept_call(tenant)
    reader(client, tenant, reads=False)
    panel = client.get(f"{place}change/").text
    assert "are kept, sealed" in panel
    assert f"{place}bodies/" not in panel
    assert client.get(f"{place}bodies/").status_code == 403
    assert readings() == []


def test_the_right_in_one_tenant_opens_nothing_of_another(client, monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)
    place = kept_call(factories.make_tenant())
    reader(client, factories.make_tenant())
    assert client.get(f"{place}bodies/").status_code == 404
    assert readings() == []


def test_no_role_reads_even_an_owner(console, monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)
    assert console.get(f"{kept_call(factories.make_tenant())}bodies/").status_code == 403


def test_sanitized_mode_shows_nothing_and_writes_nothing_down(client, monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)
    tenant = factories.make_tenant()
    place = kept_call(tenant)
    reader(client, tenant)
    assert "what is up" not in client.get(f"{place}bodies/?sanitized=1").text
    assert readings() == []


def test_what_no_key_opens_is_told(client, monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)
    tenant = factories.make_tenant()
    place = kept_call(tenant)
    RequestBody.objects.update(content="proxx1.00000000.AAAA")
    reader(client, tenant)
    assert page.UNREADABLE in client.get(f"{place}bodies/").text


def test_a_long_part_is_cut_until_it_is_asked_for_alone():
    found = [Part(ASKED, 0, 5, "short"), Part(HEARD, 1, page.SHOWN + 7, "x" * (page.SHOWN + 7), cut="part")]
    assert [(one.rest, len(one.text)) for one in page.shown(found)] == [(0, 5), (7, page.SHOWN)]
    (alone,) = page.shown(found, "1")
    assert (alone.rest, len(alone.text), alone.note) == (0, page.SHOWN + 7, page.CUTS["part"])
    assert len(page.shown(found, "9")) == 2
    assert len(page.shown(found, "9" * 5000)) == 2


def test_half_a_character_that_json_escapes_breaks_no_page(client, monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)
    tenant = factories.make_tenant()
    place = kept_call(tenant, (ASKED, 0, rb'{"prompt":"\ud800 and on"}'))
    reader(client, tenant)
    assert r"\ud800 and on" in client.get(f"{place}bodies/").text


def test_json_that_would_grow_without_measure_is_shown_as_it_is():
    deep = "[" * 500 + ",".join("1" * 50_000) + "]" * 500
    assert page.pretty(deep) == deep
    assert page.pretty("[[1]]") == "[\n  [\n    1\n  ]\n]"
    assert page.pretty('"' + "x" * page.LAID_OUT + '"') == '"' + "x" * page.LAID_OUT + '"'
