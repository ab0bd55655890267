"""The lists of who may come in from outside, as they are written."""

import pytest

from accounts.models import AdmissionEntry
from accounts.rights import Role
from accounts.signin.admission import entries, faults
from accounts.signin.entry import Entry, read


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("user:Kim", Entry("user", "kim")),
        ("domain:example.com", Entry("domain", "example.com")),
        ("group:ops=operator", Entry("group", "ops", Role.OPERATOR)),
        ("group:acme=tenant_admin@acme", Entry("group", "acme", Role.TENANT_ADMIN, "acme")),
        ("everyone", Entry("everyone")),
    ],
)
def test_an_entry_is_read(text, meant):
    assert read(text) == meant


@pytest.mark.parametrize("text", ["kim", "user:", "group:x=boss", "group:x=tenant_admin", "group:x=auditor@acme", ""])
def test_an_entry_that_means_nothing_is_refused(text):
    with pytest.raises(ValueError, match=r"must|no role|tenant"):
        read(text)


def test_no_list_makes_an_owner_unless_that_is_allowed(settings):
    with pytest.raises(ValueError, match="PROXY_SIGN_IN_GRANTS_OWNER"):
        read("group:bosses=owner")
    settings.PROXY_SIGN_IN_GRANTS_OWNER = True
    assert read("group:bosses=owner").role == Role.OWNER


def test_a_start_hears_of_every_fault(settings):
    settings.PROXY_SIGN_IN_LISTS = {"oidc": ("user:kim", "nonsense"), "github": ("group:x=boss",)}
    assert len(faults()) == 2


@pytest.mark.django_db
def test_entries_of_the_console_stand_beside_those_of_the_settings(settings):
    settings.PROXY_SIGN_IN_LISTS = {"github": ("user:kim",)}
    for provider, text in (("github", "org:acme=auditor"), ("oidc", "everyone"), ("github", "group:x=owner")):
        AdmissionEntry.objects.create(provider=provider, entry=text)
    assert entries("github") == [Entry("user", "kim"), Entry("org", "acme", Role.AUDITOR)]  # nobody becomes an owner
    assert entries("oidc") == [Entry("everyone")]
