"""The first words an operator reads, and static files that are collected once."""

import json
import os
import shlex
import subprocess
import sys

import pytest

from accounts import keys
from accounts.models import DEFAULT_TENANT_ID, Tenant
from proxx import env_file, prepare
from proxx.server.checks import CannotStart
from tests.commands import house
from tests.ports import free_port

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
    said = "\n".join(prepare.first_words(KNOWN, providers=["OpenAI"], models=[]))
    assert "/v1/models" in said


def test_without_any_account_the_curl_line_is_a_chat_whose_answer_says_what_is_missing():
    said = "\n".join(prepare.first_words(KNOWN, providers=[], models=[]))
    assert "/v1/chat/completions" in said
    assert "OPENAI_API_KEY" in said


def test_on_an_open_address_the_first_words_warn_and_name_the_hosts_of_the_console(settings):
    settings.PROXY_HOST, settings.ALLOWED_HOSTS = "0.0.0.0", ["127.0.0.1", "box.lan"]
    said = "\n".join(prepare.first_words(KNOWN, providers=[], models=[]))
    assert "plain HTTP" in said
    assert "ALLOWED_HOSTS: 127.0.0.1, box.lan" in said


def test_on_loopback_nothing_is_said_about_the_network():
    assert "plain HTTP" not in "\n".join(prepare.first_words(KNOWN, providers=[], models=[]))


def test_a_redis_that_does_not_answer_is_said_without_its_password(settings):
    settings.REDIS_URL = f"redis://:hidden@127.0.0.1:{free_port()}/0"
    [line] = [line for line in prepare.first_words(KNOWN, providers=[], models=[]) if "REDIS_URL" in line]
    assert "does not answer (ConnectionError)" in line
    assert "hidden" not in line


def test_a_redis_address_that_is_none_is_no_traceback():
    assert prepare.redis_fault("localhost:6379") == "ValueError"


@pytest.mark.django_db
def test_fresh_secrets_are_refused_where_keys_are_stored_under_lost_ones(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("PROXX_ENV_FILE", str(tmp_path / ".env"))
    fresh = env_file.fresh(tmp_path / ".env", {})
    prepare.refuse_lost_secrets(fresh)  # an empty database
    keys.issue(Tenant.objects.get(pk=DEFAULT_TENANT_ID), label="laptop")
    with pytest.raises(CannotStart, match=r"\.env lacks PROXY_TOKEN_PEPPER, .* client keys \(1\) .* restore that file"):
        prepare.refuse_lost_secrets(fresh)
    prepare.refuse_lost_secrets({"SECRET_KEY": fresh["SECRET_KEY"]})  # costs only the operators' sessions


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"PROXY_AUTH_TOKEN": ""}, "PROXY_AUTH_TOKEN is set but empty"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"PROXY_TOKEN_PEPPER": "pepper"}, "PROXY_TOKEN_PEPPER is too short"),
        ({"PROXY_ENCRYPTION_KEYS": "hello"}, "PROXY_ENCRYPTION_KEYS: key 1"),
    ],
)
def test_faulty_settings_are_one_sentence_before_anything_is_written(fault, said, tmp_path):
    place = {"PROXX_ENV_FILE": str(tmp_path / ".env"), "PROXY_DATA_DIR": str(tmp_path / "data")}
    inherited = {name: os.environ[name] for name in house.INHERITED if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "proxx.prepare", "complete"],
        cwd=env_file.ROOT,
        env={**inherited, **place, **fault},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith(f"proxx cannot start: {said}")
    assert list(tmp_path.iterdir()) == []


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
