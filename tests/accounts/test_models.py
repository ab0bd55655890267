"""The tables' own rules."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.keys import issue
from accounts.models import DEFAULT_TENANT_ID, ApiKey, Credential, Tenant, account_id_of
from proxx.kit import clock

pytestmark = pytest.mark.django_db


def test_the_default_tenant_exists_under_its_fixed_id():
    assert Tenant.objects.get(slug="default").pk == DEFAULT_TENANT_ID


@pytest.mark.django_db(transaction=True)
def test_the_default_tenant_exists_after_a_flush_too():
    assert Tenant.objects.filter(pk=DEFAULT_TENANT_ID).exists()


def test_the_default_tenant_cannot_be_switched_off():
    tenant = Tenant.objects.get(pk=DEFAULT_TENANT_ID)
    tenant.is_active = False
    with pytest.raises(ValidationError, match="always active"):
        tenant.full_clean()


@pytest.mark.parametrize("slug", ["Acme", "a b", "", "-a", "a\n"])
def test_a_slug_of_another_shape_is_refused(slug):
    with pytest.raises(ValidationError):
        Tenant(slug=slug, name="Acme").full_clean()


def test_the_database_itself_refuses_upper_case_slugs():
    with pytest.raises(IntegrityError), transaction.atomic():
        Tenant.objects.create(slug="Acme", name="Acme")


def test_a_tenant_that_ever_had_keys_cannot_be_deleted():
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    issue(tenant, label="ci")
    with pytest.raises(ProtectedError):
        tenant.delete()


def test_a_key_is_active_until_its_moment_comes():
    now = clock.now()
    assert ApiKey().state(now) == "active"
    assert ApiKey(expires_at=now + timedelta(seconds=1)).state(now) == "active"
    assert ApiKey(expires_at=now).state(now) == "expired"
    assert ApiKey(expires_at=now, revoked_at=now).state(now) == "revoked"


def test_the_account_name_is_derived_from_provider_and_secret_and_is_uuid_shaped():
    row = Credential.objects.create(provider_id="openai", secret="sk-0123456789abcdef")
    assert row.account_id == account_id_of("openai", "sk-0123456789abcdef")
    assert UUID(row.account_id).version == 5
    assert account_id_of("groq", "sk-0123456789abcdef") != row.account_id


def test_the_same_secret_twice_for_one_provider_is_refused():
    Credential.objects.create(provider_id="openai", secret="sk-0123456789abcdef")
    with pytest.raises(IntegrityError), transaction.atomic():
        Credential.objects.create(provider_id="openai", secret="sk-0123456789abcdef")
    Credential.objects.create(provider_id="groq", secret="sk-0123456789abcdef")
