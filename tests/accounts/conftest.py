"""A fresh memory of keys, a key to look for, and a store that can go away."""

import django.db
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from accounts import key_memory, keys
from accounts.models import DEFAULT_TENANT_ID, Tenant

WRONG = "pxx_" + "A" * 43


@pytest.fixture(autouse=True)
def _fresh_memory():
    keys.forget()
    yield
    keys.forget()


@pytest.fixture
def tenant(db):
    return Tenant.objects.get(pk=DEFAULT_TENANT_ID)


@pytest.fixture
def issued(tenant):
    return keys.issue(tenant, label="laptop")


@pytest.fixture
def away(monkeypatch):
    """A switch: from its call on the database answers nothing."""

    def fail(digests):
        raise django.db.OperationalError("away")

    return lambda: monkeypatch.setattr(key_memory, "_read", fail)


@pytest.fixture
def reads(monkeypatch):
    """The list of what the store was asked for."""
    asked, real = [], key_memory._read

    def read(digests):
        asked.append(list(digests))
        return real(digests)

    monkeypatch.setattr(key_memory, "_read", read)
    return asked


@sync_to_async
def in_thread(function, *args, **kwargs):
    """Call something that blocks, from an async test."""
    try:
        return function(*args, **kwargs)
    finally:
        connection.close()  # a thread of its own, whose session would outlive the test database
