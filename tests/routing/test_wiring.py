"""Every change of what a Snapshot reads raises the revision, in the same transaction, and is announced after it."""

from typing import Any

import pytest
from django.db import models, transaction

from accounts.models import ApiKey, Credential, Limit, Profile, Tenant
from oauth.models import OAuthAccount
from proxx.kit import shared_state
from routing import revision, wiring
from routing.models import (
    CatalogModel,
    FactSetting,
    Listener,
    ModelExclusion,
    ModelPreference,
    PolicyRule,
    ProviderSetting,
)

ROWS: dict[type[models.Model], dict[str, Any]] = {
    Tenant: {"slug": "acme", "name": "Acme"},
    ApiKey: {"label": "one", "digest": "0" * 64},
    Profile: {"name": "editors"},
    Limit: {"kind": "requests_minute", "amount": 5},
    Listener: {"name": "bridge", "host": "bridge.example.com"},
    Credential: {"provider_id": "groq", "secret": "key"},
    ModelPreference: {"name": "gpt-x"},
    PolicyRule: {"name": "glm", "pattern": "glm-*"},
    ModelExclusion: {"provider_id": "groq", "pattern": "llama*"},
    ProviderSetting: {"provider_id": "lab", "base_url": "http://127.0.0.1:1"},
    FactSetting: {"model": "gpt-x"},
    CatalogModel: {"provider_id": "groq", "model_id": "llama"},
    OAuthAccount: {"sign_in": "openai"},
}


def make(model: type[models.Model]) -> models.Model:
    fields = dict(ROWS[model])
    if model in (ApiKey, Limit):
        fields["tenant"] = Tenant.objects.get(slug="default")
    if model is OAuthAccount:
        fields["credential"] = Credential.objects.create(**ROWS[Credential])
    return model(**fields)


def test_each_model_of_the_picture_is_watched() -> None:
    assert set(wiring.WATCHED) == set(ROWS)


@pytest.mark.django_db
@pytest.mark.parametrize("model", ROWS, ids=lambda model: model.__name__)
def test_each_save_and_deletion_raises_the_number(model: type[models.Model]) -> None:
    numbers = [revision.number()]
    row = make(model)
    row.save()
    numbers.append(revision.number())
    row.save()
    numbers.append(revision.number())
    row.delete()
    numbers.append(revision.number())
    assert numbers == sorted(set(numbers))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", ROWS, ids=lambda model: model.__name__)
def test_outside_a_transaction_the_number_comes_after_the_row(model: type[models.Model]) -> None:
    if not Tenant.objects.exists():
        Tenant.objects.create(slug="default", name="Default")
    found: list[bool] = []
    row = make(model)
    listening = shared_state.listen(revision.CHANNEL, lambda _: found.append(model.objects.filter(pk=row.pk).exists()))
    try:
        row.save()
        assert found == [True]
        row.delete()
        assert found == [True, False]
    finally:
        listening.stop()


@pytest.mark.django_db(transaction=True)
def test_an_edit_that_is_rolled_back_is_neither_counted_nor_announced() -> None:
    before, heard = revision.number(), []
    listening = shared_state.listen(revision.CHANNEL, heard.append)
    with transaction.atomic():
        ModelPreference.objects.create(name="gpt-x")
        transaction.set_rollback(True)
    listening.stop()
    assert (revision.number(), heard) == (before, [])


@pytest.mark.django_db
def test_what_changes_by_itself_raises_nothing() -> None:
    key = make(ApiKey)
    key.save()
    before = revision.number()
    ApiKey.objects.filter(pk=key.pk).update(last_used_at="2030-01-01T00:00:00Z")
    assert revision.number() == before
