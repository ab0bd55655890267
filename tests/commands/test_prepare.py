"""The first words an operator reads, and static files that are collected once."""

import json
import shlex

import pytest

from proxx import prepare

MADE = {"operator": {"username": "admin", "password": "pw"}, "key": {"token": "pxx_t"}}
KNOWN = {"operator": None, "key": None}


@pytest.fixture(autouse=True)
def place(settings):
    settings.PROXY_HOST, settings.PROXY_PORT = "127.0.0.1", 9000


def test_a_first_boot_shows_each_secret_once():
    said = "\n".join(prepare.first_words(MADE, providers=[], models=[]))
    assert said.count("pw") == 1
    assert said.count("pxx_t") == 1
    assert "http://127.0.0.1:9000/console/" in said


def test_later_boots_show_none():
    said = "\n".join(prepare.first_words(KNOWN, providers=["OpenAI"], models=["gpt-x"]))
    assert "password" not in said
    assert "export" not in said
    assert "OpenAI" in said


def test_the_curl_line_is_one_a_shell_reads_back():
    words = shlex.split(prepare.curl("http://127.0.0.1:9000", ["it's-a-mini"]))
    assert words[:2] == ["curl", "http://127.0.0.1:9000/v1/chat/completions"]
    assert json.loads(words[-1])["model"] == "it's-a-mini"
    assert "Authorization: Bearer $PROXX_KEY" in words


def test_without_models_the_curl_line_asks_for_their_list():
    assert "/v1/models" in prepare.curl("http://127.0.0.1:9000", [])


def test_where_nobody_needs_a_key_none_is_shown(settings):
    settings.PROXY_ALLOW_UNAUTHENTICATED = True
    assert "PROXX_KEY" not in prepare.curl("http://127.0.0.1:9000", ["gpt-x"])


@pytest.mark.parametrize(
    ("models", "chosen"),
    [
        (["gpt-x", "gpt-x-mini"], "gpt-x-mini"),
        (["text-embedding-small", "gpt-x"], "gpt-x"),
        (["gpt-image-mini", "claude-haiku"], "claude-haiku"),
        (["text-embedding-small"], "text-embedding-small"),
    ],
)
def test_a_first_question_is_a_cheap_one(models, chosen):
    assert prepare.cheapest(models) == chosen


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1"), ("10.0.0.7", "http://10.0.0.7:1")],
)
def test_the_address_is_one_that_can_be_opened_here(host, shown):
    assert prepare.address(host, 1) == shown


def test_static_files_are_collected_only_when_something_changed(settings, tmp_path, monkeypatch):
    settings.STATIC_ROOT = tmp_path / "collected"
    collected = []
    monkeypatch.setattr(prepare, "call_command", lambda *names, **_: collected.append(names[0]))
    prepare.collect_static_files()
    prepare.collect_static_files()
    assert collected == ["collectstatic"]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "another"}}
    prepare.collect_static_files()
    assert len(collected) == 2
