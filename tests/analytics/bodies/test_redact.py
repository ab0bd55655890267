"""What may be stored of a body. Samples are made up, none was ever valid."""

import json

import pytest

from analytics.bodies import redact
from analytics.bodies.redact import PIECE, redacted
from proxx.kit import logs

SECRETS = [
    "sk-proj-abcdefgh12345678",
    "pxx_abcdefgh12345678",
    "AIzaSyAbcdefgh12345678",
    "ghp_abcdefgh12345678",
    "AKIAABCDEFGH12345678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    "Bearer abcdefgh12345678",
    "Authorization: abcdefgh12345678",
    '{"password": "abcdefgh12345678"}',
    '{"api_key":"abcdefgh12345678"}',
    "https://example.org/?key=abcdefgh12345678",
    "https://example.org/?sig=abcdefgh12345678",
    "postgres://somebody:abcdefgh12345678@db.example/x",
    "Bearer abc\\/abcdefgh12345678",
    '{"api_key":"abc\\/abcdefgh12345678"}',
    r'{"said": "{\"api_key\":\"abc\\\/abcdefgh12345678\"}"}',
    r"postgres:\/\/somebody:abcdefgh12345678@db.example\/x",
]


@pytest.mark.parametrize("said", SECRETS)
def test_what_looks_like_a_secret_is_not_stored(said):
    assert "abcdefgh12345678" not in redacted(f"I use {said} here").lower()
    assert logs.MASK in redacted(said)


@pytest.mark.parametrize("said", [*SECRETS, "nothing of the kind", "key token secret Bearer x"])
def test_the_words_looked_for_first_let_no_shape_slip(said):
    assert redacted(said) == logs.masked(said)


def test_known_secrets_are_not_stored_whatever_their_shape():
    assert redacted('said "plain\\"horse"', ['plain"horse']) == f'said "{logs.MASK}"'
    assert redacted("short words stay: abc", ["abc"]) == "short words stay: abc"


@pytest.mark.parametrize(
    "said",
    [r"ab+cd\/ef\/gh==", r"ab\u002Bcd/ef/gh==", r"ab+cd/ef/gh\u003d\u003d", r"ab+cd\\/ef\\/gh=="],
)
def test_a_known_secret_is_found_as_other_writers_of_json_spell_it(said):
    assert redacted(f'{{"it": "{said}"}}', ["ab+cd/ef/gh=="]) == f'{{"it": "{logs.MASK}"}}'


@pytest.mark.parametrize("size", range(1, 30))
def test_of_a_secret_at_a_cut_nothing_stays(size):
    known = 'plain "horse" and {brace} 1'
    assert "plain"[: max(4, size)] not in redacted(f"so it is {known[:size]}", [known], is_cut=True)
    for said in ("sk-proj-abcdefgh12345678", "Bearer abcdefgh12345678", '"password":"abcdefgh12345678"'):
        assert "abcd" not in redacted(f"so it is, {said[:size]}", is_cut=True)
    assert redacted("what stands before stays, kim@exam", is_cut=True) == "what stands before stays, "


def test_the_end_of_a_file_that_was_cut_costs_no_long_search():
    said = "A" * 1_000_000
    assert len(redacted(said, is_cut=True)) == len(said) - redact.LONGEST_WORD


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("mail kim.lee+x@mail.example.org now", "mail [e-mail] now"),
        ("call +49 30 1234567 or (555) 123-4567.", "call [phone] or [phone]."),
        ("card 4111 1111 1111 1111, ok", "card [card], ok"),
        ('{"n":"4111111111111111"}', '{"n":"[card]"}'),
        ("not a card: 4111 1111 1111 1112", "not a card: 4111 1111 1111 1112"),
        ("on 2026-11-21 at 10.5, id 1732200000000", "on 2026-11-21 at 10.5, id 1732200000000"),
        ('"created":1732200000,"total_tokens":123456789012', '"created":1732200000,"total_tokens":123456789012'),
    ],
)
def test_personal_data_is_not_stored(said, left):
    assert redacted(said) == left


def test_which_kinds_is_a_setting_and_so_is_a_pattern_of_ones_own(settings):
    settings.PROXY_BODIES_REDACT, settings.PROXY_BODIES_PATTERN = ("phone",), r"ACME-\d+"
    assert redacted("kim@example.org +49 30 1234567 ACME-12") == "kim@example.org [phone] [hidden]"


@pytest.mark.parametrize("place", range(PIECE - 60, PIECE + 60, 7))
def test_no_secret_slips_between_two_pieces(place):
    said = json.dumps({"text": "x " * (place // 2), "password": "abcdefgh12345678", "mail": "kim@example.org"})
    left = redacted(said)
    assert "abcdefgh12345678" not in left
    assert "kim@" not in left
    assert json.loads(left)["text"] == "x " * (place // 2)


def test_one_search_is_never_over_a_whole_body():
    assert max(map(len, redact._pieces("word " * 200_000))) <= PIECE
    assert "".join(redact._pieces("word, " * 20_000)) == "word, " * 20_000
