"""What a key may ask for."""

import pytest
from django.core.exceptions import ValidationError

from accounts import keys, scopes


def test_the_usual_scope_stands_for_all_model_calls_and_nothing_else():
    assert scopes.expanded(["proxy:use"]) == {"proxy:use", *scopes.FAMILIES}
    assert scopes.expanded(["proxy:chat", "usage:read"]) == {"proxy:chat", "usage:read"}
    assert not scopes.expanded(["proxy:use"]) & {scopes.FILES, scopes.USAGE, scopes.CONTROL_READ, scopes.ADMIN}


@pytest.mark.parametrize("given", [[], ["proxy:admin"], ["proxy:use", "everything"], "proxy:use", [1], [None]])
def test_what_is_no_scope_of_a_key_is_refused(given):
    with pytest.raises(ValidationError):
        scopes.check(given)


@pytest.mark.django_db
def test_no_key_is_issued_with_a_scope_that_nobody_knows(tenant):
    with pytest.raises(ValidationError):
        keys.issue(tenant, label="x", scopes=["proxy:admin"])
    assert not tenant.keys.exists()


def test_scopes_are_told_in_words():
    assert scopes.said(["proxy:use", "proxy:files"]) == "All model calls; Files and batches in our accounts"
    assert scopes.said(["proxy:models", "proxy:images"]) == "Images; Lists of models"
