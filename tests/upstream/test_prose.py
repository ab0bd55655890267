"""Foreign prose made safe: secrets masked, control characters gone, never too long."""

import base64
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.upstream import failures
from proxx.upstream.failures import prose


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcDEF123456_7890",
        "sk-ant-api03-abcdef-1234567890",
        "gsk_abcdefghijklmnop",
        "xai-abcdefghijklmnop",
        "fk-abcdefghij",
        "pxx_" + "a1B2" * 10,
        "AIzaSyA-1234567890abcdefghijklmnop",
        "ya29.a0AfH6SMB-abcdefgh",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-DEF_123",
        "0123456789abcdef0123456789abcdef.AbCdEf0123456789",
    ],
)
@pytest.mark.parametrize("around", ["Incorrect API key provided: {}.", "got {}", '{{"header":"Bearer {}"}}', "x={},y"])
def test_a_secret_in_an_error_text_is_masked(secret: str, around: str) -> None:
    assert secret[8:] not in prose.clean(around.format(secret))


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefgh12345678",
        "Basic dXNlcjpwYXNz",
        "api_key=abcdefgh1234",
        '"password": "hunter2hunter2"',
    ],
)
def test_a_secret_named_as_one_is_masked(text: str) -> None:
    assert "***" in prose.clean(text)


def test_a_password_in_an_address_is_masked() -> None:
    assert prose.clean("cannot reach http://user:hunter2@proxy:3128/") == "cannot reach http://***@proxy:3128/"


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 100000 is too many",
        "Item 'rs_68af0c2e4d5081a3b7c6d5e4f3a2b1c0' of type 'reasoning' lacks its required following item",
        "task-oriented models are risk-averse; ask-again",
        "The basic plan allows 5 requests; the bearer pays",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert prose.clean(text) == text


def test_control_and_hidden_characters_become_blanks() -> None:
    assert prose.clean("a\r\nb\x00c\x1b[31md\u202ee\u200bf\u2028g\ud800") == "a b c [31md e f g?"


def test_long_prose_is_cut_and_says_so() -> None:
    cut = prose.clean("word " * 1000)
    assert len(cut) <= prose.MESSAGE_LIMIT
    assert cut.endswith("…")


def test_a_huge_body_costs_little() -> None:
    raw = b'{"error":{"message":"' + b"a" * 10_000_000 + b'"}}'
    failure = failures.classify(400, {}, raw)
    assert failure.kind == "invalid_request"
    assert len(failure.message) <= prose.MESSAGE_LIMIT


def test_a_secret_that_the_cut_would_split_does_not_show() -> None:
    text = "x" * (prose.MESSAGE_LIMIT - 10) + " sk-" + base64.urlsafe_b64encode(b"secret" * 8).decode()
    assert "c2Vj" not in prose.clean(text)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("bad\r\nx: y\x1b", "bad x: y"),
        ("sk-proj-abcDEF123456_7890", "sk-***"),
        ("c" * 500, "c" * 79 + "…"),
        ("\x00\u200b", None),
        (4290, "4290"),
    ],
)
def test_a_code_is_made_safe_as_a_message_is(code: Any, shown: str | None) -> None:
    assert failures.classify(400, {}, orjson.dumps({"error": {"message": "m", "code": code}})).code == shown
    assert failures.from_error_object({"message": "m", "code": code}).code == shown


KEY = 'Zq7/Wm3+Xk9"Tb5=Rn1Lp8'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('wrong key Zq7/Wm3+Xk9"Tb5=Rn1Lp8.', "wrong key ***."),
        (f"{KEY} and {KEY}{KEY}", "*** and ***"),
        (f"cut: {KEY[3:]}", "cut: ***"),
        (f"cut: {KEY[:-4]}...", "cut: ***..."),
        (f"{KEY[:9]}…{KEY[-8:]}", "***…***"),
        (f"{KEY[:7]}-{KEY[-7:]}", f"{KEY[:7]}-{KEY[-7:]}"),
        (orjson.dumps(KEY).decode(), '"***"'),
        ("".join(f"\\u{ord(letter):04x}" for letter in KEY) + "!", "***!"),
        ("".join(f"\\u{ord(letter):04X}" if at % 3 else letter for at, letter in enumerate(KEY)), "***"),
        ("a\\nb" + "".join(f"\\\\u{ord(letter):04x}" for letter in KEY) + "c\\u0041", "a\\nb***c\\u0041"),
        (KEY.replace("/", "\\/"), "***"),
        ("nothing of it, \\ or \\u00zz", "nothing of it, \\ or \\u00zz"),
        ("", ""),
    ],
)
def test_the_secret_at_hand_is_masked_whole_cut_or_escaped(text: str, shown: str) -> None:
    assert prose.without(text, KEY) == shown


def test_a_short_secret_is_masked_whole_and_no_secret_masks_nothing() -> None:
    assert prose.without("key abc refused, abcd too", "abcd") == "key abc refused, *** too"
    assert prose.without("as it is", "") == "as it is"


@given(st.text(max_size=30), st.text(alphabet='abcé/"', min_size=1, max_size=30), st.text(max_size=30))
def test_no_text_shows_a_secret_in_any_manner_of_json(before: str, secret: str, after: str) -> None:
    for written in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert written not in prose.without(f"{before}{written}{after}", secret).replace("***", "")


def test_masking_costs_little_whatever_the_text() -> None:
    for text in ("\\" * 64_000, "\\u0041" * 10_000, "Zq7/Wm3+" * 8_000):
        assert len(prose.without(text, KEY)) <= len(text)
