"""Secrets are sealed on their way to the database and open only for their own row."""

import pytest
from django.db import connection, transaction

from accounts.fields import UnsealedWrite, reveal, tail_of
from accounts.models import Credential
from proxx.kit import sealing

pytestmark = pytest.mark.django_db
SECRET = "sk-live-canary-0123456789-abcd"


def stored_text() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_credential")
        return repr(cursor.fetchall())


def test_a_saved_secret_is_sealed_in_the_row_and_in_memory():
    credential = Credential.objects.create(provider_id="openai", label="main", secret=SECRET)
    assert sealing.is_sealed(credential.secret)
    assert SECRET not in stored_text()
    assert sealing.is_sealed(Credential.objects.get().secret)
    assert reveal(Credential.objects.get()).reveal() == SECRET
    assert credential.last4 == "abcd"


def test_saving_again_keeps_the_same_sealed_text():
    credential = Credential.objects.create(provider_id="openai", secret=SECRET)
    before = credential.secret
    credential.label = "renamed"
    credential.save()
    assert Credential.objects.get().secret == before


def test_bulk_create_seals_too_and_keeps_the_last_four():
    Credential.objects.bulk_create([Credential(provider_id="openai", account_id="a", secret=SECRET)])
    row = Credential.objects.get()
    assert (reveal(row).reveal(), row.last4) == (SECRET, "abcd")
    assert SECRET not in stored_text()


def test_update_refuses_plain_text_and_takes_a_sealed_value():
    row = Credential.objects.create(provider_id="openai", secret=SECRET)
    with pytest.raises(UnsealedWrite, match="secret"), transaction.atomic():
        Credential.objects.update(secret="plain")
    row.secret = "plain"
    with pytest.raises(UnsealedWrite), transaction.atomic():
        Credential.objects.bulk_update([row], ["secret"])
    Credential.objects.update(secret=sealing.seal("another", context=str(row.pk)))
    row.refresh_from_db()
    assert reveal(row).reveal() == "another"


def test_a_sealed_value_moved_to_another_row_does_not_open():
    first = Credential.objects.create(provider_id="openai", secret=SECRET)
    second = Credential.objects.create(provider_id="groq", secret="another-secret-0123")
    Credential.objects.filter(pk=second.pk).update(secret=first.secret)
    with pytest.raises(sealing.SealBroken):
        reveal(Credential.objects.get(pk=second.pk))


def test_a_retired_key_still_opens_and_a_forgotten_one_does_not(settings):
    old, new = settings.SEALING_KEYS[0], "HxAREhMUFRYXGBkaGxwdHgABAgMEBQYHCAkKCwwNDg8="
    row = Credential.objects.create(provider_id="openai", secret=SECRET)
    settings.SEALING_KEYS = (new, old)
    assert reveal(row).reveal() == SECRET
    settings.SEALING_KEYS = (new,)
    with pytest.raises(sealing.SealBroken):
        reveal(row)


def test_an_empty_secret_stays_empty_and_a_short_one_shows_no_tail():
    row = Credential.objects.create(provider_id="ollama", account_id="local", secret="")
    assert (row.secret, row.last4, bool(reveal(row))) == ("", "", False)
    assert (tail_of("short"), tail_of("x" * 8 + "tail")) == ("", "tail")
