"""An operator with full access, signed in."""

import pytest

from accounts.models import DEFAULT_TENANT_ID, Operator, Tenant

# What a browser sends for a table of limits with no row.
NO_LIMITS = {"limits-TOTAL_FORMS": "0", "limits-INITIAL_FORMS": "0"}

NO_ROLES = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}

KEEPS_NOTHING = {"bodies": "off"}

OF_A_TENANT = {**NO_LIMITS, "unpriced": "block"}


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
