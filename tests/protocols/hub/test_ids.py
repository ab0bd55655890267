"""Ids of calls: made to fit, always the same, never two alike."""

import re

import pytest

from proxx.protocols.hub import ids


@pytest.mark.parametrize("good", ["call_abc-1", "toolu_01", "x" * 64])
def test_an_id_that_fits_stays(good):
    assert ids.fitted(good, pattern=ids.ANTHROPIC) == good


@pytest.mark.parametrize("bad", ["", "a b", "fc|1", "x" * 65, "y" * 1324, "\ud83d"])
def test_an_id_that_does_not_fit_is_hashed(bad):
    """D16."""
    fitted = ids.fitted(bad, pattern=ids.ANTHROPIC)
    assert re.fullmatch(r"call_[A-Za-z0-9_-]{40}", fitted)
    assert fitted == ids.fitted(bad, pattern=ids.ANTHROPIC)


def test_long_ids_with_one_beginning_stay_apart():
    """D16."""
    assert len({ids.fitted("x" * 64 + end, pattern=ids.ANTHROPIC) for end in "abc"}) == 3


def test_mistral_gets_nine_letters_and_digits():
    """D17."""
    sent = [ids.fitted(f"call_{n}", pattern=ids.MISTRAL, longest=ids.MISTRAL_LENGTH) for n in range(200)]
    assert all(re.fullmatch(r"[a-zA-Z0-9]{9}", one) for one in sent)
    assert len(set(sent)) == 200
    assert ids.fitted("abcDEF123", pattern=ids.MISTRAL, longest=ids.MISTRAL_LENGTH) == "abcDEF123"


def test_a_made_id_depends_on_all_its_parts_and_nothing_else():
    """D14."""
    assert ids.made(1, 0, "f", "{}") == ids.made(1, 0, "f", "{}")
    assert len({ids.made(*parts) for parts in [(1, 0, "f"), (10, "f"), (1, 0, "g"), ("1", "0f")]}) == 4


def test_repetitions_are_told_apart():
    assert ids.repeated("a", 0) == "a"
    assert len({ids.repeated("a", count) for count in range(5)}) == 5
