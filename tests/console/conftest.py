"""An operator with full access, signed in."""

import pytest

from accounts.models import DEFAULT_TENANT_ID, Operator, Tenant


@pytest.fixture
def operator(db):
    return Operator.objects.create_superuser("root", password="a long password for tests")


@pytest.fixture
def console(client, operator):
    client.force_login(operator)
    return client


@pytest.fixture
def tenant(db):
    return Tenant.objects.get(pk=DEFAULT_TENANT_ID)
