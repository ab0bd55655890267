"""keys.json in all its forms."""

import json
from typing import Any

import pytest

from routing.keys_file import Account, FileFault, parse


def read(data: Any) -> list[Account]:
    return parse(json.dumps(data), default_provider="vivgrid", name="keys.json")


def brief(data: Any) -> list[tuple[str, str, str, str]]:
    return [(one.provider_id, one.kind, one.account_id, one.token.reveal()) for one in read(data)]


@pytest.mark.parametrize("data", [["k1", "k2"], {"keys": ["k1", "k2"]}])
def test_the_legacy_forms_belong_to_the_primary_provider(data: Any) -> None:
    assert brief(data) == [("vivgrid", "api_key", "", "k1"), ("vivgrid", "api_key", "", "k2")]


@pytest.mark.parametrize("field", ["accounts", "keys"])
def test_a_provider_may_be_a_list_or_an_object(field: str) -> None:
    data = {"providers": {"groq": ["g1"], "openai": {"auth": "oauth", field: [{"id": "me", "access_token": "t"}]}}}
    assert brief(data) == [("groq", "api_key", "", "g1"), ("openai", "oauth_bearer", "me", "t")]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("api_key", "api_key"),
        ("api-key", "api_key"),
        ("oauth_bearer", "oauth_bearer"),
        ("oauth-bearer", "oauth_bearer"),
        ("oauth", "oauth_bearer"),
    ],
)
def test_each_word_for_an_auth_type_is_known(word: str, kind: str) -> None:
    assert read({"providers": {"x": {"auth": word, "accounts": ["k"]}}})[0].kind == kind


def test_an_account_may_have_its_own_auth_type() -> None:
    data = {"providers": {"factory": {"accounts": ["fk-1", {"auth": "oauth", "access_token": "t"}]}}}
    assert [one.kind for one in read(data)] == ["api_key", "oauth_bearer"]


@pytest.mark.parametrize(
    ("auth", "entry", "token"),
    [
        ("api_key", {"access_token": "a", "token": "t", "key": "k", "api_key": "p"}, "p"),
        ("api_key", {"access_token": "a", "token": "t", "key": "k"}, "k"),
        ("api_key", {"access_token": "a", "token": "t"}, "t"),
        ("oauth", {"access_token": "a", "token": "t", "key": "k", "api_key": "p"}, "a"),
        ("oauth", {"bearer_token": "b", "key": "k"}, "b"),
    ],
)
def test_the_token_is_looked_for_in_the_order_of_the_auth_type(auth: str, entry: Any, token: str) -> None:
    assert read({"providers": {"x": {"auth": auth, "accounts": [entry]}}})[0].token.reveal() == token


@pytest.mark.parametrize("field", ["id", "name", "account_id", "label"])
def test_the_account_is_named_by_any_of_four_fields(field: str) -> None:
    assert read({"providers": {"x": [{field: "me", "key": "k"}]}})[0].account_id == "me"


@pytest.mark.parametrize("field", ["chatgpt_account_id", "chatgptAccountId", "upstream_account_id"])
def test_the_chatgpt_account_has_three_names(field: str) -> None:
    assert read({"providers": {"openai": [{field: "acc", "key": "k"}]}})[0].chatgpt_account_id == "acc"


@pytest.mark.parametrize("value", [1893456000, 1893456000000, "1893456000", "2030-01-01T00:00:00Z"])
def test_an_expiry_may_be_in_seconds_milliseconds_or_words(value: Any) -> None:
    expires = read({"providers": {"x": [{"key": "k", "expires_at": value}]}})[0].expires_at
    assert expires is not None
    assert expires.isoformat() == "2030-01-01T00:00:00+00:00"


def test_a_repeated_token_is_dropped_inside_one_provider_only() -> None:
    assert len(read({"providers": {"a": ["k", "k", {"id": "again", "key": "k"}], "b": ["k"]}})) == 2


def test_an_account_that_is_switched_off_is_left_out() -> None:
    assert read({"providers": {"a": [{"key": "k", "enabled": False}]}}) == []


@pytest.mark.parametrize(
    "data",
    [
        "text",
        7,
        {"keys": "k"},
        {"providers": []},
        {"providers": {"x": "k"}},
        {"providers": {"x": {"accounts": "k"}}},
        {"providers": {"x": [7]}},
        {"providers": {"x": [{}]}},
        {"providers": {"x": ["two words"]}},
        {"providers": {"x": {"auth": "basic", "accounts": []}}},
        {"providers": {"x": [{"key": "k", "expires_at": "soon"}]}},
        {"providers": {"x": [{"key": "k", "base_url": "ftp://host"}]}},
        {"providers": {"": ["k"]}},
    ],
)
def test_a_wrong_shape_is_told_in_one_sentence(data: Any) -> None:
    with pytest.raises(FileFault, match=r"^keys\.json.*\.$"):
        read(data)
