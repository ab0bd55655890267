"""Bodies in the database: sealed, without secrets, and gone in time."""

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts import resealing
from accounts.keeping import ALL
from analytics import retention
from analytics.bodies import parts, pruning, redact, store
from analytics.bodies.parts import ASKED, HEARD, SENT, TOLD, Bodies
from analytics.bodies.table import RequestBody
from analytics.models import RecordLoss
from proxx.kit import clock, ids, sealing
from proxx.kit.sealing import Secret
from tests import factories

pytestmark = pytest.mark.django_db

CANARY = "correct-horse-battery-staple-canary"
NEW = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0="


@pytest.fixture(autouse=True)
def _room(monkeypatch):
    monkeypatch.setattr(parts, "room", parts.Room())


def bodies(*said, at=None, tenant=None):
    call = Bodies(ids.new(at), tenant.pk if tenant else uuid4(), ALL)
    for kind, attempt, body in said:
        call.part(kind, attempt, body)
    call.end()
    return call


def test_what_was_said_reads_back_and_is_nowhere_in_clear():
    call = bodies((ASKED, 0, b'{"q":"what is up"}'), (HEARD, 1, b"data: fine\n\n"))
    store.insert([call, call])
    row = RequestBody.objects.get()
    assert [(part.kind, part.attempt, part.text) for part in store.read(row)] == [
        (ASKED, 0, '{"q":"what is up"}'),
        (HEARD, 1, "data: fine\n\n"),
    ]
    assert (row.id, row.why, row.plain_bytes, row.stored_bytes) == (call.call_id, "full", 30, len(row.content))
    assert "what is up" not in row.content
    assert sealing.is_sealed(row.content)


def test_a_provider_that_repeats_our_key_does_not_bring_it_into_the_store():
    call = bodies((ASKED, 0, b"hello"), (HEARD, 1, f"bad key {CANARY}".encode()))
    call.secrets.add(Secret(CANARY))
    store.insert([call])
    assert CANARY not in str(store.read(RequestBody.objects.get()))


def test_what_passed_unchanged_is_stored_once():
    said = b"the same, all the way"
    stored = list(store.stored(bodies((ASKED, 0, said), (SENT, 1, said), (TOLD, 0, said)).parts, ()))
    assert [(part.text, part.same_as, part.size) for part in stored] == [
        (said.decode(), None, 21),
        ("", 0, 21),
        ("", 0, 21),
    ]


def test_bytes_that_are_no_text_are_not_stored_and_half_a_character_does_no_harm():
    half, binary = store.stored(bodies((ASKED, 0, "für".encode()[:2]), (SENT, 1, bytes(range(256)))).parts, ())
    assert (half.text, binary.text) == ("f�", redact.BINARY)


def test_a_change_of_encryption_keys_reseals_bodies(settings):
    store.insert([bodies((ASKED, 0, b"hello"))])
    settings.SEALING_KEYS = (NEW, *settings.SEALING_KEYS)
    assert resealing.retired() == 1
    assert resealing.reseal() == resealing.Resealed(done=1)
    settings.SEALING_KEYS = (NEW,)
    assert resealing.retired() == 0
    assert store.read(RequestBody.objects.get())[0].text == "hello"


def test_bodies_do_not_open_in_another_calls_row():
    store.insert([bodies((ASKED, 0, b"hello")), bodies((ASKED, 0, b"you"))])
    first, second = RequestBody.objects.order_by("id")
    first.content = second.content
    with pytest.raises(sealing.SealBroken):
        store.read(first)


def test_bodies_go_after_their_days_and_long_before_their_calls():
    now = clock.now()
    keep = retention.KEEP["bodies"]
    old, young = (
        bodies((ASKED, 0, b"x"), at=(now - keep - days).timestamp()) for days in (timedelta(2), timedelta(-1))
    )
    store.insert([old, young])
    retention.prune()
    assert [row.id for row in RequestBody.objects.all()] == [young.call_id]
    assert keep < retention.KEEP["log"]


def test_above_its_size_the_store_gives_up_the_oldest_and_says_so():
    now = clock.unix()
    calls = [bodies((ASKED, 0, b"x" * 100), at=now - age) for age in (30, 20, 10)]
    store.insert(calls)
    size = RequestBody.objects.values_list("stored_bytes", flat=True)[0]
    assert pruning.to_size(2 * size + 10) == 1
    assert set(RequestBody.objects.values_list("id", flat=True)) == {calls[1].call_id, calls[2].call_id}
    assert list(RecordLoss.objects.values_list("count", "reason")) == [(1, "bodies: store full")]
    assert pruning.to_size(2 * size + 10) == 0


def test_whose_they_are_stands_in_the_row():
    tenant = factories.make_tenant()
    store.insert([bodies((ASKED, 0, b"x"), tenant=tenant)])
    assert RequestBody.objects.get().tenant == tenant
