"""What refuses to start, each with one sentence; and that a good start answers soon and stops well."""

import base64
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from types import SimpleNamespace

import pytest

from proxx.server import checks
from tests.server.conftest import ROOT

GOOD = {
    "SECRET_KEY": secrets.token_urlsafe(40),
    "KEY_PEPPER": secrets.token_urlsafe(40),
    "FORMER_PEPPERS": (),
    "SEALING_KEYS": (base64.b64encode(secrets.token_bytes(32)).decode(),),
    "PROXY_AUTH_TOKEN_IS_SET": False,
    "PROXY_AUTH_TOKEN": "",
    "PROXY_ALLOW_UNAUTHENTICATED": False,
    "PROXY_HOST": "127.0.0.1",
    "PROXY_PORT": 8789,
    "DEBUG": False,
    "PROXX_SERVER": "daphne",
    "PROXX_DATA_PLANE": "fast",
    "PROXY_LIMITS": "auto",
    "REDIS_URL": "",
    "PROXY_TRUSTED_PROXIES": (),
    "PROXY_TRAFFIC_LOG": "",
    "PROXY_BODIES_MOST": "off",
}


def settings_with(**changes):
    return SimpleNamespace(**{**GOOD, **changes})


def test_good_settings_pass():
    for changes in (
        {},
        {"PROXY_AUTH_TOKEN_IS_SET": True, "PROXY_AUTH_TOKEN": "a"},
        {"DEBUG": True, "PROXY_HOST": "::1"},
        {"PROXY_HOST": "0.0.0.0"},
        {"PROXX_SERVER": "uvicorn"},
        {"PROXY_TRUSTED_PROXIES": ("127.0.0.1", "10.0.0.0/8")},
    ):
        checks.check_settings(settings_with(**changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"PROXY_TRAFFIC_LOG": "x.jsonl"}, "by PROXY_BODIES_MOST=off nobody may keep"),
        ({"SECRET_KEY": "brief"}, "SECRET_KEY is too short"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is too short or too simple"),
        ({"SECRET_KEY": "please-change-me-0123456789-abcdefghijkl"}, "SECRET_KEY is an example value"),
        ({"SECRET_KEY": "django-insecure-0123456789-abcdefghijklmnop"}, "SECRET_KEY is an example value"),
        ({"KEY_PEPPER": ""}, "PROXY_TOKEN_PEPPER is missing"),
        ({"KEY_PEPPER": "pepper"}, "PROXY_TOKEN_PEPPER is too short"),
        ({"KEY_PEPPER": "an-example-pepper-0123456789-abcdefghij"}, "PROXY_TOKEN_PEPPER is an example value"),
        ({"SEALING_KEYS": ()}, "PROXY_ENCRYPTION_KEYS is missing"),
        ({"SEALING_KEYS": ("!",)}, "PROXY_ENCRYPTION_KEYS: key 1"),
        ({"SEALING_KEYS": (*GOOD["SEALING_KEYS"], "c2hvcnQ=")}, "PROXY_ENCRYPTION_KEYS: key 2 does not hold 32 bytes"),
        ({"SEALING_KEYS": ("A" * 43 + "=",)}, "key 1 is an example value"),
        ({"PROXY_AUTH_TOKEN_IS_SET": True}, "PROXY_AUTH_TOKEN is set but empty"),
        ({"DEBUG": True, "PROXY_HOST": "0.0.0.0"}, "DEBUG is on"),
        ({"DEBUG": True, "PROXY_HOST": "gateway.lan"}, "DEBUG is on"),
        ({"PROXY_PORT": 80000}, "PROXY_PORT must be a whole number from 0 to 65535"),
        ({"PROXX_SERVER": "gunicorn"}, "PROXX_SERVER must be one of"),
        ({"PROXX_DATA_PLANE": "faster"}, "PROXX_DATA_PLANE must be one of"),
        ({"PROXY_LIMITS": "all"}, "PROXY_LIMITS must be one of auto, local, database, redis"),
        ({"PROXY_LIMITS": "redis"}, "PROXY_LIMITS is redis, and REDIS_URL does not say where"),
        ({"PROXY_TRUSTED_PROXIES": ("caddy",)}, "PROXY_TRUSTED_PROXIES must list"),
    ],
)
def test_a_fault_refuses_the_start_in_one_sentence(changes, said):
    with pytest.raises(checks.CannotStart) as caught:
        checks.check_settings(settings_with(**changes))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    for name in ("SECRET_KEY", "KEY_PEPPER"):
        value = changes.get(name)
        assert not value or value not in str(caught.value), "a secret is never printed"


def test_an_open_gateway_on_a_public_address_is_warned_of():
    assert checks.warnings(settings_with(PROXY_ALLOW_UNAUTHENTICATED=True)) == []
    [line] = checks.warnings(settings_with(PROXY_ALLOW_UNAUTHENTICATED=True, PROXY_HOST="0.0.0.0"))
    assert "PROXY_ALLOW_UNAUTHENTICATED" in line


def test_uvicorn_must_be_installed(monkeypatch):
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    with pytest.raises(checks.CannotStart, match="not installed"):
        checks.check_settings(settings_with(PROXX_SERVER="uvicorn"))


@pytest.mark.django_db
def test_a_migrated_database_and_the_shipped_registry_pass():
    checks.check_data()


@pytest.mark.django_db
def test_egress_settings_that_cannot_be_used_are_named(settings):
    settings.UPSTREAM_PROXY_URL = "carrier-pigeon://loft"
    with pytest.raises(checks.CannotStart, match="UPSTREAM_PROXY_URL"):
        checks.check_data()


@pytest.mark.django_db
def test_a_faulty_registry_is_named(monkeypatch):
    from routing import providers

    def fault():
        raise providers.ProviderFault("openai: base_url is missing.")

    monkeypatch.setattr(providers, "load", fault)
    with pytest.raises(checks.CannotStart, match=r"registry is faulty: openai: base_url"):
        checks.check_data()


@pytest.fixture
def environment(tmp_path):
    """A fresh installation's environment, without a database yet."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return kept | {
        "PROXX_ENV_FILE": os.devnull,
        "PROXY_DATA_DIR": str(tmp_path),
        "PROXY_KEYS_FILE": os.devnull,
        "SECRET_KEY": GOOD["SECRET_KEY"],
        "PROXY_TOKEN_PEPPER": GOOD["KEY_PEPPER"],
        "PROXY_ENCRYPTION_KEYS": GOOD["SEALING_KEYS"][0],
        "PROXY_PORT": "0",
    }


def refusal(environment, **changes):
    done = subprocess.run(
        [sys.executable, "-m", "proxx.server"],
        cwd=ROOT,
        env={**environment, **changes},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"PROXY_AUTH_TOKEN": ""}, "PROXY_AUTH_TOKEN is set but empty"),
        ({"PROXY_BODY_LIMIT": "plenty"}, "PROXY_BODY_LIMIT must be a number"),
        ({"REDIS_URL": "foo://x"}, "REDIS_URL must be a readable URL that begins with redis:// or rediss://"),
        ({}, "run `make migrate`"),
    ],
)
def test_the_command_refuses_with_one_line_and_code_2(environment, changes, said):
    [line] = refusal(environment, **changes)
    assert line.startswith("proxx cannot start: ")
    assert said in line


@pytest.mark.slow
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_fresh_installation_answers_soon_and_stops_with_code_0(environment, server):
    manage = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(manage, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
    environment["PROXX_SERVER"] = server
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "proxx.server"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:
            assert answer.status == 200
        took = time.monotonic() - began
        port = url.rpartition(":")[2]
        [line] = refusal(environment, PROXY_PORT=port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert f"Cannot listen on 127.0.0.1 port {port}" in line
    assert took < 30, "1 to 2 s on an idle machine (benchmarks), many times that beside other tests"
