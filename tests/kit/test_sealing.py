"""Secrets at rest: they open only for their own row and under a configured key."""

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.kit.sealing import (
    SealBroken,
    Secret,
    digest,
    is_sealed,
    key_fault,
    seal,
    sealed_under_current_key,
    unseal,
)


@given(st.text())
def test_what_is_sealed_opens_again(plain):
    assert unseal(seal(plain, context="row"), context="row") == plain


def test_a_value_moved_to_another_row_does_not_open():
    with pytest.raises(SealBroken):
        unseal(seal("sk-1", context="row-1"), context="row-2")


@pytest.mark.parametrize("broken", ["", "plain", "proxx1.x.y", "proxx1.deadbeef.AAAA", "proxx2.a.b"])
def test_what_was_never_sealed_does_not_open(broken):
    with pytest.raises(SealBroken):
        unseal(broken, context="row")


def test_a_changed_letter_is_noticed():
    sealed = seal("sk-1", context="row")
    with pytest.raises(SealBroken):
        unseal(sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:], context="row")


def test_keys_rotate_by_putting_a_new_one_in_front(settings):
    old = settings.SEALING_KEYS
    sealed = seal("sk-1", context="row")
    settings.SEALING_KEYS = (base64.b64encode(os.urandom(32)).decode(), *old)
    assert unseal(sealed, context="row") == "sk-1"
    assert not sealed_under_current_key(sealed)
    assert sealed_under_current_key(seal("sk-1", context="row"))
    settings.SEALING_KEYS = settings.SEALING_KEYS[:1]
    with pytest.raises(SealBroken):
        unseal(sealed, context="row")


def test_the_same_secret_never_seals_to_the_same_text():
    assert seal("a", context="r") != seal("a", context="r")
    assert is_sealed(seal("a", context="r"))


def test_a_digest_depends_on_the_pepper(settings):
    before = digest("key")
    settings.KEY_PEPPER = "another pepper, another digest"
    assert digest("key") != before
    assert len(before) == 64


def test_a_secret_prints_as_dots():
    secret = Secret("sk-very-secret")
    assert "very" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "sk-very-secret"
    assert secret == Secret("sk-very-secret")


@pytest.mark.parametrize(("text", "fault"), [("AAAA", "does not hold 32 bytes"), ("***", "does not hold 32 bytes")])
def test_a_bad_encryption_key_is_named(text, fault):
    assert key_fault(text) == fault


def test_a_key_may_be_written_as_64_hex_digits(settings):
    raw = os.urandom(32)
    settings.SEALING_KEYS = (raw.hex(),)
    assert key_fault(raw.hex()) is None
    sealed = seal("sk-1", context="row")
    settings.SEALING_KEYS = (base64.b64encode(raw).decode(),)
    assert unseal(sealed, context="row") == "sk-1"


@pytest.mark.parametrize("text", ["hello", "AAAA"])
def test_sealing_under_a_key_that_is_none_says_which(settings, text):
    settings.SEALING_KEYS = (*settings.SEALING_KEYS, text)
    with pytest.raises(SealBroken, match="PROXY_ENCRYPTION_KEYS: key 2") as caught:
        seal("sk-1", context="row")
    assert text not in str(caught.value)
