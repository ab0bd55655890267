"""Values of the environment that nobody can mean: refused by name, in one sentence, before anything is served."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from proxx.settings import env


def test_what_is_within_bounds_is_taken(monkeypatch):
    for text in ("0", "1e9", "65535", "1099511627776"):
        monkeypatch.setenv("PROXX_TRIED", text)
        assert env.whole("PROXX_TRIED", default=1) == float(text)


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (env.whole, "99999999999999999999", "from 0 to 1099511627776"),
        (env.whole, "1099511627777", "from 0 to 1099511627776"),
        (env.number, "1e10", "from 0 to 1000000000"),
        (env.number, "inf", "from 0 to 1000000000"),
        (env.number, "nan", "from 0 to 1000000000"),
        (env.number, "-1", "from 0 to 1000000000"),
        (env.milliseconds, "1e13", "from 0 to 1000000000000"),
    ],
)
def test_what_is_beyond_them_is_refused(monkeypatch, read, text, said):
    monkeypatch.setenv("PROXX_TRIED", text)
    with pytest.raises(ImproperlyConfigured) as refused:
        read("PROXX_TRIED", default=1)
    assert str(refused.value) == f"PROXX_TRIED must be a number {said}."


def test_counts_are_numbers_by_name(monkeypatch):
    monkeypatch.setenv("PROXX_TRIED", "groq=0, factory=4,")
    assert env.counts("PROXX_TRIED") == {"groq": 0, "factory": 4}


@pytest.mark.parametrize("text", ["groq", "groq=", "=3", "groq=-1", "groq=1.5", "groq=9999999"])
def test_counts_that_nobody_can_mean_are_refused(monkeypatch, text):
    monkeypatch.setenv("PROXX_TRIED", text)
    with pytest.raises(ImproperlyConfigured):
        env.counts("PROXX_TRIED")


@pytest.mark.parametrize("url", ["", "redis://x", "redis:///0", "rediss://:word@x:6379/1", "unix:///run/redis.sock"])
def test_addresses_of_redis(url):
    assert env.address("REDIS_URL", url, "redis", "rediss", "unix") == url


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "x", "//x", "http://", "https://:80", "http://[", "http://x:port", "http://x:99999"]
)
def test_what_is_no_public_address(url):
    with pytest.raises(
        ImproperlyConfigured, match=r"^PROXY_PUBLIC_URL must be a readable URL .* http:// or https://\.$"
    ):
        env.address("PROXY_PUBLIC_URL", url, "http", "https")
